"""The samples of ``docs/interop.md`` and ``README.md``, run as they stand there, with the clients that they are for."""

import asyncio
import json
import os
import re
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from services.referrals.partners.known import partners_in
from shared.security.caller import Caller, Role
from tests.e2e.evidence import Evidence
from tests.e2e.referring import furnish
from tests.eventually import eventually
from tests.factories.system import EHR, PSYCHOLOGIST, SPECIALIST, Site, System, bearer
from tests.interop.validator import FOLDER, required_node

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "interop.md"
README = ROOT / "README.md"
SECONDS = 60
BASH = ("bash", "-euo", "pipefail", "-s")
CLINIC = Caller("mind-system", Role.SYSTEM, organization=PSYCHOLOGIST.organization)

pytestmark = pytest.mark.timeout(120)


def block(page: Path, section: str, language: str) -> str:
    """The one block in ``language`` below the heading that begins with ``section``."""
    parts = re.split(r"^##+ ", page.read_text(), flags=re.MULTILINE)
    (text,) = [part for part in parts if part.startswith(section)]
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return str(found)


def sample(section: str, language: str = "bash") -> str:
    """A block of the page, with the people of the tests' directory instead of the page's."""
    people = {"pain-1": "lind", "mind-clinic": "mind"}
    return re.sub("|".join(people), lambda match: people[match[0]], block(PAGE, section, language))


async def run(system: System, command: Sequence[str], program: str) -> str:
    """What ``command`` prints that is given ``program``, with the page's variables set. Fails where it fails."""
    callers = {"TOKEN": SPECIALIST, "RECIPIENT": PSYCHOLOGIST, "BACK_END": EHR, "CLINIC": CLINIC}
    async with system.site() as site, site.served() as base, site.working():
        await furnish(site)
        if "Definition/" in program:
            await eventually(partial(_catalogue, site))
        environment = dict(os.environ) | {
            "FHIR": f"{base}/fhir",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "CONSILIUM_DATA_DIR": str(system.data_dir),
            "CONSILIUM_PORT": base.rpartition(":")[2],
        }
        for name, caller in callers.items():
            environment[name] = bearer(caller, system.data_dir)["Authorization"].removeprefix("Bearer ")
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *command, env=environment, cwd=FOLDER, stdin=pipe, stdout=pipe, stderr=pipe
        )
        printed, complaints = await asyncio.wait_for(process.communicate(program.encode()), SECONDS)
    assert process.returncode == 0, (printed + complaints).decode()
    return printed.decode()


async def _catalogue(site: Site) -> bool:
    """Whether the workers have loaded it, as they have long before somebody copies a sample."""
    return (await site.by(EHR).get("/fhir/ActivityDefinition/relaxation")).status_code == 200


async def _accepted(evidence: Evidence, version: str = "2") -> None:
    (task,) = await evidence.resources("referrals", "Task")
    assert (task["status"], task["meta"]["versionId"]) == ("accepted", version)
    assert [tag["code"] for tag in task["meta"]["tag"]] == ["mental-health"]


async def test_curl(plain_system: System, evidence: Evidence) -> None:
    printed = await run(plain_system, BASH, sample("curl"))
    by_name = ['"valueCode":"schedule"', "returned-with-questions"]
    assert printed.split() == ['"status":"accepted"', '"total":2', *by_name]
    await _accepted(evidence, "3")


async def test_a_proposal_and_cards(plain_system: System) -> None:
    program = "\n".join(map(sample, ("curl", "Proposals for a patient", "CDS Hooks")))
    assert (await run(plain_system, BASH, program)).split()[-2:] == ['"status":"completed"', '"cards"']


async def test_fhirpy(plain_system: System, evidence: Evidence) -> None:
    assert (await run(plain_system, [sys.executable, "-"], sample("Python", "python"))).split() == ["accepted"]
    await _accepted(evidence)


async def test_fhir_kit_client(plain_system: System, evidence: Evidence) -> None:
    command = [required_node(), "--input-type=module", "-"]
    assert (await run(plain_system, command, sample("JavaScript", "js"))).split() == ["accepted"]
    await _accepted(evidence)


async def test_messages(plain_system: System, evidence: Evidence) -> None:
    assert (await run(plain_system, BASH, sample("Messages"))).split() == ['"code":"ok"']
    (task,) = await evidence.resources("referrals", "Task")
    (order,) = await evidence.resources("referrals", "ServiceRequest")
    assert (task["focus"], task["owner"]) == (
        {"reference": f"ServiceRequest/{order['id']}"},
        {"reference": PSYCHOLOGIST.organization},
    )
    assert task["for"]["reference"].startswith("Patient/")


async def test_webhooks(plain_system: System) -> None:
    assert (await run(plain_system, BASH, sample("Being told"))).split() == ['"secret":"whsec_']


async def test_referring_to_another_system(plain_system: System) -> None:
    printed = await run(plain_system, BASH, sample("Referring to another system"))
    assert printed.split() == ['"reference":"Endpoint/food-bank"']


def test_the_partners_file_of_the_page_holds(tmp_path: Path) -> None:
    path = tmp_path / "partners.json"
    path.write_text(sample("Referring to another system", "json"))
    assert list(partners_in(path)) == ["https://food-bank.example.org/fhir"]


async def test_the_tokens_of_the_page_can_be_made(plain_system: System) -> None:
    printed = await run(plain_system, BASH, block(PAGE, "Before you begin", "sh") + 'echo "$FHIR" "${#CLINIC}"')
    assert re.fullmatch(r"http://127.0.0.1:\d+/fhir \d{3,}", printed.strip())


async def test_the_readme_leads_from_a_referral_to_its_acceptance(plain_system: System, evidence: Evidence) -> None:
    """The parts after each other, as somebody copies them; but for the stream, which does not end."""
    sends, coordinates, refers = (block(README, f"You {does}", "sh") for does in ("integrate", "coordinate", "refer"))
    lines = coordinates.splitlines()
    assert "/notifications/stream" in lines[-1]
    printed = await run(plain_system, ["bash", "-eus"], "\n".join([sends, *lines[:-1], refers]))
    assert "OperationOutcome" not in printed
    assert "about:blank" not in printed, "a problem"
    matches, warnings, directory = map(json.loads, printed.splitlines()[-3:])
    assert [each["service"]["name"] for each in matches["matches"]] == ["Talking therapy"]
    assert [each["open"] for each in warnings["duplicates"]] == [True]
    assert [each["disciplines"] for each in directory["services"]] == [["mental-health"]]
    # it was handed over first, and something was said after it
    await _accepted(evidence, "4")
