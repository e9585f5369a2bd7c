"""The samples of ``docs/interop.md``, run as they stand there, with the clients that they are for."""

import asyncio
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.e2e.evidence import Evidence
from tests.e2e.referring import furnish
from tests.factories.system import PSYCHOLOGIST, SPECIALIST, System, bearer
from tests.interop.validator import FOLDER, required_node

PAGE = Path(__file__).parents[2] / "docs" / "interop.md"
SECONDS = 60

pytestmark = pytest.mark.timeout(120)


def sample(language: str) -> str:
    """The one block in ``language``, with the people of the tests' directory instead of the page's."""
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    people = {"pain-1": "lind", "mind-clinic": "mind"}
    return re.sub("|".join(people), lambda match: people[match[0]], str(block))


async def run(system: System, command: Sequence[str], program: str) -> str:
    """What ``command`` prints that is given ``program``, with the page's variables set. Fails where it fails."""
    async with system.site() as site, site.served() as base:
        await furnish(site)
        environment = dict(os.environ) | {
            "FHIR": f"{base}/fhir",
            "TOKEN": bearer(SPECIALIST, system.data_dir)["Authorization"].removeprefix("Bearer "),
            "RECIPIENT": bearer(PSYCHOLOGIST, system.data_dir)["Authorization"].removeprefix("Bearer "),
        }
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *command, env=environment, cwd=FOLDER, stdin=pipe, stdout=pipe, stderr=pipe
        )
        printed, complaints = await asyncio.wait_for(process.communicate(program.encode()), SECONDS)
    assert process.returncode == 0, (printed + complaints).decode()
    return printed.decode()


async def _accepted(evidence: Evidence) -> None:
    (task,) = await evidence.resources("referrals", "Task")
    assert (task["status"], task["meta"]["versionId"]) == ("accepted", "2")


async def test_curl(plain_system: System, evidence: Evidence) -> None:
    printed = await run(plain_system, ["bash", "-euo", "pipefail", "-s"], sample("bash"))
    assert printed.split() == ['"status":"accepted"', '"total":2']
    await _accepted(evidence)


async def test_fhirpy(plain_system: System, evidence: Evidence) -> None:
    assert (await run(plain_system, [sys.executable, "-"], sample("python"))).split() == ["accepted"]
    await _accepted(evidence)


async def test_fhir_kit_client(plain_system: System, evidence: Evidence) -> None:
    command = [required_node(), "--input-type=module", "-"]
    assert (await run(plain_system, command, sample("js"))).split() == ["accepted"]
    await _accepted(evidence)
