"""A real process: its log level changes without a restart, a variable with a typo is told, the doctor finds it well."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from shared.doctor.finding import Level
from tests.e2e.operations.installation import consilium
from tests.eventually import eventually
from tests.factories.process import Process
from tests.ports import free_port

pytestmark = pytest.mark.timeout(120)


def lines(log: Path) -> list[dict[str, object]]:
    """What the process logged."""
    return [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]


async def test_levels_change_in_a_running_process_and_typos_and_findings_are_told(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    process = Process(data_dir, free_port(), {"CONSILIUM_LOGLEVEL": "s3cret", "TMPDIR": str(tmp_path)})
    process.settings = {**process.settings, "CONSILIUM_PORT": str(process.port)}
    spawn = subprocess.Popen
    with log.open("wb") as errors, monkeypatch.context() as patched:
        patched.setattr(subprocess, "Popen", lambda *args, **named: spawn(*args, **named, stderr=errors))
        await process.start()
    try:
        (typo,) = [line for line in lines(log) if "variable" in line]
        assert (typo["variable"], typo["nearest"]) == ("CONSILIUM_LOGLEVEL", "CONSILIUM_LOG_LEVEL")
        assert "s3cret" not in log.read_text()

        assert (await consilium(process, "log-level", "DEBUG", "--minutes", "1"))[0] == 0
        await eventually(lambda: told(log, "changed for a while", 1))
        assert (await consilium(process, "log-level", "CLEAR"))[0] == 0
        await eventually(lambda: told(log, "again what the settings say", 1))
        assert process._running is not None
        os.kill(process._running.pid, signal.SIGUSR1)
        await eventually(lambda: told(log, "changed for a while", 2))
        os.kill(process._running.pid, signal.SIGUSR2)
        await eventually(lambda: told(log, "again what the settings say", 2))

        code, report = await consilium(process, "doctor", "--json")
        findings = json.loads(report)["findings"]
        checks = {finding["check"] for finding in findings}
        assert {"database referrals", "migrations careplans", "outbox notifications", "clock careplans"} <= checks
        assert {"bus", "keys", "disk", "process consilium"} <= checks
        bad = [finding for finding in findings if finding["level"] != Level.OK]
        # the typo, and that no log is archived
        assert ({finding["check"] for finding in bad}, code) == ({"variables", "archive"}, 1)
        assert "s3cret" not in report
    finally:
        await process.close()


async def told(log: Path, text: str, times: int) -> bool:
    """Whether the process said so, that often."""
    return sum(text in str(line["text"]) for line in lines(log)) == times
