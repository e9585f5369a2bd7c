"""One trace from an EHR's POST through outbox, transport and plan to the delivery; and the figures operators watch."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan

from shared.security.caller import Caller
from tests.eventually import eventually
from tests.factories.edge import Edge, edge
from tests.factories.referrals import REQUESTER, STRANGER, order, reference, task
from tests.factories.resources import bundle, entry, patient
from tests.integration.notifications.receivers import HookServer

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
CHAIN = (
    "notifications webhook deliver",
    "notifications.events process",
    "careplans.referrals process",
    "POST /fhir",
)
"""From the delivery of the plan's change back to the EHR's request."""


@pytest.fixture
async def hook(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[HookServer]:
    """A receiver of webhooks that this machine may reach."""
    monkeypatch.setenv("CONSILIUM_WEBHOOK_ALLOW_HTTP", "true")
    monkeypatch.setenv("CONSILIUM_WEBHOOK_ALLOW_PRIVATE", "true")
    async with HookServer() as hook:
        yield hook


@pytest.fixture
async def traced(amqp: str | None, databases: dict[str, str], hook: HookServer) -> AsyncIterator[Edge]:
    """A system that records every span."""
    async with edge(databases, amqp_url=amqp) as running:
        yield running


async def test_a_referral_is_one_trace_up_to_its_deliveries(traced: Edge, hook: HookServer) -> None:
    await furnish(traced, hook)
    # who has referred the patient, too, hears of changes in other parts of the plan
    assert await refer(traced, caller=STRANGER) == 200
    await eventually(lambda: heard(traced))
    assert await refer(traced, {"traceparent": f"00-{TRACE}-{PARENT}-01"}) == 200
    await eventually(lambda: delivered_through_the_plan(traced))
    spans = in_trace(traced)
    by_id = {span_id(span): span for span in spans}
    (root,) = (span for span in spans if span.name == "POST /fhir")
    assert root.parent is not None
    assert f"{root.parent.span_id:016x}" == PARENT
    for span in spans:
        assert span is root or (span.parent is not None and span.parent.span_id in by_id), span.name
    assert {span.name for span in spans} >= {*CHAIN, "notifications.events process"}


async def test_requests_outboxes_and_queues_are_measured(traced: Edge, hook: HookServer) -> None:
    await furnish(traced, hook)
    assert await refer(traced) == 200
    await traced.ask("GET", "/fhir/Patient/absent")
    await traced.ask("GET", "/api/referrals/absent", caller=REQUESTER)
    await eventually(lambda: ready(traced))

    async def gauged() -> bool:
        traced.telemetry.flush()
        depths = labelled(traced, "consilium.outbox.depth", "service")
        queues = labelled(traced, "consilium.queue.depth", "queue")
        assert depths.keys() == {"referrals", "careplans", "notifications"}
        assert labelled(traced, "consilium.outbox.age", "service").keys() == depths.keys()
        assert {"careplans.referrals", "notifications.events"} <= queues.keys()
        return set(depths.values()) == {0}

    await eventually(gauged, within=60)
    counted = {
        (point.attributes["http.request.method"], point.attributes["http.route"], point.attributes[STATUS]): point.count
        for point in traced.metrics.points["http.server.request.duration"]
    }
    assert counted["POST", "/fhir", 200] == 1
    assert counted["PUT", "/fhir/{type}/{id}", 201] >= 2
    assert counted["GET", "/fhir/{type}/{id}", 404] == 1
    assert counted["GET", "/api/referrals/{task_id}", 404] == 1
    assert counted["GET", "/health/ready", 200] == 1


STATUS = "http.response.status_code"


async def furnish(traced: Edge, hook: HookServer) -> None:
    """The patient and the people; one of them wants webhooks."""
    named: dict[str, Any] = {"Practitioner": [{"text": "x"}], "Organization": "x"}
    for type_, id_ in (
        ("Practitioner", "lind"),
        ("Practitioner", "far"),
        ("Organization", "mind-centre"),
        ("Organization", "pain-clinic"),
    ):
        assert (await traced.put({"resourceType": type_, "id": id_, "name": named[type_]})).status_code == 201
    assert (await traced.put(patient(id="p1"))).status_code == 201
    wish = {"receiver": STRANGER.fhir_user, "channel": "webhook", "address": hook.url}
    answer = await traced.ask("PUT", "/api/notifications/preferences", caller=STRANGER, json=wish)
    assert answer.status_code == 200, answer.text
    traced.recorded.clear()


async def refer(traced: Edge, headers: dict[str, str] | None = None, *, caller: Caller = REQUESTER) -> int:
    """An EHR's referral, as one transaction; the status of the answer."""
    requester = {"requester": reference(caller.fhir_user or "")}
    asked = {name: value for name, value in (order() | requester).items() if name != "id"}
    made = task(focus=reference("urn:uuid:o")) | requester
    wanted = {name: value for name, value in made.items() if name != "id"}
    sent = bundle("transaction", entry("POST", "ServiceRequest", asked, "urn:uuid:o"), entry("POST", "Task", wanted))
    answer = await traced.ask("POST", "/fhir", caller=caller, json=sent, headers=headers or {})
    status: int = answer.status_code
    return status


async def ready(traced: Edge) -> bool:
    """The system is ready."""
    answer = await traced.client.get("/health/ready")
    return bool(answer.is_success)


async def heard(traced: Edge) -> bool:
    """Notifications has handled the first referral and what the plan said of it."""
    handled = [span for span in traced.spans() if span.name == "notifications.events process" and span.attributes]
    return {"referral.requested.v1", "careplan.activity-added.v1"} <= {
        (span.attributes or {})["messaging.event.type"] for span in handled
    }


async def delivered_through_the_plan(traced: Edge) -> bool:
    """A delivery that the plan's change caused ended, and everything before it."""
    return any(chain(traced, span) == CHAIN for span in in_trace(traced) if span.name == CHAIN[0])


def chain(traced: Edge, span: ReadableSpan) -> tuple[str, ...]:
    """The names from ``span`` up to the root."""
    by_id = {span_id(one): one for one in in_trace(traced)}
    names = [span.name]
    while span.parent is not None and span.parent.span_id in by_id:
        span = by_id[span.parent.span_id]
        names.append(span.name)
    return tuple(names)


def in_trace(traced: Edge) -> list[ReadableSpan]:
    """The spans of the EHR's trace."""
    return [span for span in traced.spans() if span.context is not None and f"{span.context.trace_id:032x}" == TRACE]


def span_id(span: ReadableSpan) -> int:
    """The id of a span that was recorded."""
    assert span.context is not None
    number: int = span.context.span_id
    return number


def labelled(traced: Edge, metric: str, label: str) -> dict[str, Any]:
    """A gauge's values by label."""
    return {point.attributes[label]: point.value for point in traced.metrics.points.get(metric, ())}
