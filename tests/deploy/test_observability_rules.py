"""The alert rules as Prometheus itself sees them: valid, ringing when they must, silent when they must not."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

FOLDER = Path(__file__).parents[2] / "deploy" / "observability"
HERE = Path(__file__).parent

promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="NO promtool: the alert rules were NOT tried; scripts/ensure-promtool.sh"
)


def asked(*arguments: str | Path) -> None:
    """Fails with what promtool says."""
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, cwd=HERE)
    assert done.returncode == 0, done.stdout + done.stderr


@promtool
def test_the_rules_are_valid() -> None:
    asked("check", "rules", *sorted((FOLDER / "alerts").glob("*.yaml")))


@promtool
def test_the_configuration_is_valid() -> None:
    asked("check", "config", FOLDER / "prometheus.yaml")


@promtool
def test_alerts_ring_when_they_must_and_only_then() -> None:
    asked("test", "rules", HERE / "alerts.test.yaml")


@promtool
def test_the_queries_of_the_dashboards_are_valid(tmp_path: Path) -> None:
    queries = [
        target["expr"].replace("$__rate_interval", "5m").replace("$__range", "1h")
        for file in (FOLDER / "dashboards").glob("*.json")
        for panel in json.loads(file.read_text())["panels"]
        for target in panel["targets"]
    ]
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries)]
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    asked("check", "rules", file)
