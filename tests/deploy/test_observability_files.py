"""The files of deploy/observability fit each other, what writes them, the settings, and the runbooks."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.telemetry.settings import TelemetrySettings
from tools import slo_rules
from tools.dashboards.__main__ import texts

PROJECT = Path(__file__).parents[2]
FOLDER = PROJECT / "deploy" / "observability"
RUNBOOKS = PROJECT / "docs" / "runbooks"

COMPONENTS = {
    "receivers": {"otlp"},
    "processors": {"memory_limiter", "tail_sampling", "batch"},
    "exporters": {"otlp", "otlphttp", "prometheus", "debug"},
    "extensions": {"health_check"},
}
"""What we use of the contrib distribution, under the names of its components."""


def read(name: str) -> dict[str, Any]:
    """A YAML file of the folder."""
    content: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text())
    return content


def alerts() -> list[tuple[str, dict[str, Any]]]:
    """All alerts with the file they are in."""
    return [
        (file.name, rule)
        for file in sorted((FOLDER / "alerts").glob("*.yaml"))
        for group in yaml.safe_load(file.read_text())["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    assert {rule["alert"] for _, rule in alerts()} == {page.stem for page in RUNBOOKS.glob("*.md")}


@pytest.mark.parametrize(
    ("file", "rule"), alerts(), ids=lambda value: value if isinstance(value, str) else value["alert"]
)
def test_an_alert_says_how_urgent_it_is_and_leads_to_its_runbook(file: str, rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["for"]
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["runbook"] == f"docs/runbooks/{rule['alert']}.md"


@pytest.mark.parametrize("page", sorted(RUNBOOKS.glob("*.md")), ids=lambda page: page.stem)
def test_a_runbook_is_one_page_that_says_what_where_and_what_to_do(page: Path) -> None:
    text = page.read_text()
    assert re.findall(r"^#+ (.+)$", text, re.MULTILINE) == [page.stem, "What it means", "Look here", "Do this"]
    assert len(text.splitlines()) <= 40
    assert re.search(r"^1\. ", text, re.MULTILINE)
    for link in re.findall(r"\]\(([^)]+)\)", text):
        assert (RUNBOOKS / link).exists(), link


def test_a_dashboard_that_a_runbook_names_exists() -> None:
    shown = [json.loads(file.read_text()) for file in (FOLDER / "dashboards").glob("*.json")]
    names = {board["title"] for board in shown} | {panel["title"] for board in shown for panel in board["panels"]}
    for page in RUNBOOKS.glob("*.md"):
        named = re.findall(r"(?<![*\w])\*([A-Z][^*\n]+)\*(?!\*)", page.read_text())
        lost = [name for name in named if not any(title.startswith(name) for title in names)]
        assert lost == [], page.name


def test_what_is_written_by_a_program_is_what_it_writes_now() -> None:
    assert slo_rules.TARGET.read_text() == slo_rules.text(), "run python -m tools.slo_rules"
    kept = {file.name: file.read_text() for file in (FOLDER / "dashboards").glob("*.json")}
    assert kept == dict(texts()), "run python -m tools.dashboards"


def test_the_objectives_that_are_explained_are_the_ones_that_are_measured() -> None:
    told = (PROJECT / "docs" / "slo.md").read_text()
    for slo in slo_rules.SLOS:
        (line,) = (line for line in told.splitlines() if line.startswith(f"| `{slo.name}`"))
        assert f"{(1 - slo.objective) * 100:g} %" in line


@pytest.mark.parametrize("files", [("collector.yaml",), ("collector.yaml", "collector-loki.yaml")])
def test_the_collectors_pipelines_use_what_is_defined_and_all_that_is_defined(files: tuple[str, ...]) -> None:
    config: dict[str, Any] = {}
    for file in files:
        config = merged(config, read(file))
    pipelines = config["service"]["pipelines"]
    assert pipelines.keys() == {"traces", "metrics", "logs"}
    for kind, known in COMPONENTS.items():
        assert {name.partition("/")[0] for name in config[kind]} <= known
        used = (
            set(config["service"]["extensions"])
            if kind == "extensions"
            else {name for pipeline in pipelines.values() for name in pipeline[kind]}
        )
        assert used <= config[kind].keys()
        assert config[kind].keys() - used <= ({"debug"} if len(files) > 1 else set())
    for pipeline in pipelines.values():
        assert pipeline["processors"][0] == "memory_limiter"
        assert pipeline["processors"][-1] == "batch"
    assert "tail_sampling" in pipelines["traces"]["processors"]


def merged(one: Any, other: Any) -> Any:
    """As the collector merges several files: maps are joined, everything else is replaced."""
    if isinstance(one, dict) and isinstance(other, dict):
        return {key: merged(one.get(key), other.get(key, one.get(key))) for key in one.keys() | other.keys()}
    return other


def test_the_collector_keeps_what_failed_and_what_we_call_slow() -> None:
    policies = {policy["type"]: policy for policy in read("collector.yaml")["processors"]["tail_sampling"]["policies"]}
    assert policies["status_code"]["status_code"]["status_codes"] == ["ERROR"]
    assert policies["latency"]["latency"]["threshold_ms"] == TelemetrySettings().slow_request_s * 1000
    assert "probabilistic" in policies


def test_prometheus_reads_the_collector_the_rules_and_the_examples() -> None:
    prometheus, collector = read("prometheus.yaml"), read("collector.yaml")
    jobs = {job["job_name"]: job for job in prometheus["scrape_configs"]}
    exporter = collector["exporters"]["prometheus"]
    assert exporter["enable_open_metrics"], "exemplars exist in OpenMetrics only"
    assert jobs["consilium"]["honor_labels"], "job and instance come from our processes"
    assert jobs["consilium"]["static_configs"][0]["targets"] == [f"collector:{exporter['endpoint'].rpartition(':')[2]}"]
    assert jobs["collector"]["static_configs"][0]["targets"] == ["collector:8888"]
    assert prometheus["rule_files"] == ["alerts/*.yaml"]


def test_grafana_finds_its_data_its_traces_and_its_dashboards() -> None:
    sources = {one["uid"]: one for one in read("grafana/provisioning/datasources/consilium.yaml")["datasources"]}
    (link,) = sources["prometheus"]["jsonData"]["exemplarTraceIdDestinations"]
    assert link == {"name": "trace_id", "datasourceUid": "traces"}
    assert sources["traces"]["type"] == "jaeger"
    for file in (FOLDER / "dashboards").glob("*.json"):
        board = json.loads(file.read_text())
        assert {panel["datasource"]["uid"] for panel in board["panels"]} <= sources.keys()
        assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    assert any(
        target["exemplar"]
        for panel in json.loads((FOLDER / "dashboards" / "services.json").read_text())["panels"]
        for target in panel["targets"]
    )
