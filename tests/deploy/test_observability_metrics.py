"""What alerts and dashboards ask for is produced: the system runs, and its series are named as Prometheus sees them."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.messaging.delivery import Failure, put_aside
from shared.telemetry import measures
from tests.deploy.prometheus_names import Produced, faults, produced, selectors
from tests.e2e.conftest import templates  # noqa: F401  pytest finds fixtures by name
from tests.e2e.test_tracing import STRANGER, furnish, refer
from tests.eventually import eventually
from tests.factories.edge import Edge, edge, fresh_databases
from tests.integration.notifications.receivers import HookServer

FOLDER = Path(__file__).parents[2] / "deploy" / "observability"

_RABBITMQ = {"instance": {"x"}, "job": {"rabbitmq"}}
OTHERS: Produced = {
    # https://www.rabbitmq.com/docs/prometheus, seen on RabbitMQ 3.10
    "rabbitmq_detailed_queue_consumers": _RABBITMQ | {"queue": {"careplans.referrals"}, "vhost": {"/"}},
    "rabbitmq_alarms_memory_used_watermark": _RABBITMQ,
    "rabbitmq_alarms_free_disk_space_watermark": _RABBITMQ,
    "rabbitmq_alarms_file_descriptor_limit": _RABBITMQ,
    "rabbitmq_disk_space_available_bytes": _RABBITMQ,
    "rabbitmq_disk_space_available_limit_bytes": _RABBITMQ,
    "rabbitmq_process_resident_memory_bytes": _RABBITMQ,
    "rabbitmq_resident_memory_limit_bytes": _RABBITMQ,
    # https://kubernetes.io/docs/reference/instrumentation/metrics/
    "kubelet_volume_stats_available_bytes": {"persistentvolumeclaim": set(), "namespace": set()},
    "kubelet_volume_stats_capacity_bytes": {"persistentvolumeclaim": set(), "namespace": set()},
    # Prometheus itself
    "up": {"job": {"collector"}, "instance": set()},
}


@pytest.fixture(scope="module")
async def series(
    postgres: str,
    templates: dict[str, str],  # noqa: F811  the fixture
) -> AsyncIterator[Produced]:
    """What a system exports that served, relayed, handled, delivered and failed; and what others export."""
    async with HookServer() as hook, fresh_databases(postgres, templates) as databases:
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("CONSILIUM_WEBHOOK_ALLOW_HTTP", "true")
            environment.setenv("CONSILIUM_WEBHOOK_ALLOW_PRIVATE", "true")
            environment.setenv("CONSILIUM_DATA_DIR", str(FOLDER))
            async with edge(databases) as running:

                async def complete() -> bool:
                    running.telemetry.flush()
                    ages = running.metrics.points.get("consilium.event.age", [])
                    return {point.attributes["queue"] for point in ages} >= {
                        "careplans.referrals",
                        "notifications.events",
                    } and "consilium.delivery.overdue" in running.metrics.points

                await furnish(running, hook)
                assert await refer(running, caller=STRANGER) == 200
                await _accept(running)
                await running.client.get("/health/ready")
                environment.setattr("shared.fhir.routes.create", _breaks)
                assert (await running.ask("POST", "/fhir/Patient", json={"resourceType": "Patient"})).is_server_error
                measures.REPLICA_STALENESS.set(1.0, "consilium_referrals")  # no replica follows in here
                measures.REPLICA_USABLE.set(1, "consilium_referrals")
                put_aside("careplans.referrals", Failure("timed-out"), dead=False)
                await eventually(complete, within=20)
                yield {**produced(running.metrics.metrics.values()), **OTHERS, **dict(_recorded())}


async def _breaks(*_: Any) -> None:
    raise RuntimeError


async def _accept(running: Edge) -> None:
    """A step on: the time from the request is measured at milestones."""
    found = await running.ask("GET", "/fhir/Task")
    (task,) = (entry["resource"] for entry in found.json()["entry"])
    answer = await running.put(task | {"status": "accepted"}, **{"If-Match": f'W/"{task["meta"]["versionId"]}"'})
    assert answer.status_code == 200, answer.text


def _rules() -> Iterator[dict[str, Any]]:
    for file in sorted((FOLDER / "alerts").glob("*.yaml")):
        for group in yaml.safe_load(file.read_text())["groups"]:
            yield from group["rules"]


def _recorded() -> Iterator[tuple[str, dict[str, set[str]]]]:
    names: dict[str, dict[str, set[str]]] = {}
    for rule in _rules():
        if "record" in rule:
            labels = names.setdefault(rule["record"], {label: set() for label in ("job", "queue", "channel")})
            labels.setdefault("slo", set()).add(rule["labels"]["slo"])
    yield from names.items()


def _panels() -> Iterator[tuple[str, str]]:
    for file in sorted((FOLDER / "dashboards").glob("*.json")):
        for panel in json.loads(file.read_text())["panels"]:
            for target in panel["targets"]:
                yield f"{file.stem}: {panel['title']}", target["expr"]


def test_every_rule_asks_for_what_there_is(series: Produced) -> None:
    asked = [(rule.get("alert") or rule["record"], rule["expr"]) for rule in _rules()]
    assert [f"{name}: {fault}" for name, expression in asked for fault in faults(expression, series)] == []


def test_every_panel_asks_for_what_there_is(series: Produced) -> None:
    assert [f"{name}: {fault}" for name, expression in _panels() for fault in faults(expression, series)] == []


def test_every_variable_of_a_dashboard_has_values(series: Produced) -> None:
    for file in sorted((FOLDER / "dashboards").glob("*.json")):
        for variable in json.loads(file.read_text())["templating"]["list"]:
            name, label = variable["query"].removeprefix("label_values(").rstrip(")").split(", ")
            assert label in series[name], (file.name, variable["query"])


@pytest.mark.parametrize(
    "wrong",
    [
        "rate(consilium_relay_publishd_total[5m])",
        'rate(consilium_message_duration_seconds_count{outcome="done"}[5m])',
        "sum by (queues) (consilium_queue_depth)",
        'http_server_request_duration_seconds_bucket{le="0.51"}',
        'max(consilium_queue_depth{queue=~"nobodys\\\\..+"})',
        "consilium_outbox_age",
    ],
)
def test_a_wrong_question_is_noticed(series: Produced, wrong: str) -> None:
    assert list(faults(wrong, series))


def test_expressions_are_read_as_prometheus_reads_them() -> None:
    found = selectors('(a:b{x=~"c{1,2}\\\\.(d|e)"} or 0 * sum by (f, g) (rate(h_total[5m]))) / on (f) i > bool 1e3')
    assert [(one.series, one.matchers) for one in found] == [
        ("a:b", (("x", "=~", "c{1,2}\\\\.(d|e)"),)),
        ("h_total", ()),
        ("i", ()),
    ]
