"""A process killed with -9 while many contribute to one plan: who sends again what was not answered loses nothing."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.security.caller import Caller, Discipline, Role
from tests.e2e.evidence import Evidence
from tests.e2e.referring import furnish
from tests.eventually import eventually
from tests.factories.process import Process
from tests.factories.system import COORDINATOR
from tests.ports import free_port

pytestmark = pytest.mark.timeout(240)

SIZE, AT_ONCE = 150, 25
CLINICIANS = [Caller(f"c-{each}", Role.CLINICIAN, each, f"Practitioner/{each}") for each in Discipline]


@pytest.fixture
async def process(data_dir: Path) -> AsyncIterator[Process]:
    """A running installation; ended afterwards with its PostgreSQL."""
    process = Process(data_dir, free_port())
    try:
        await process.start()
        yield process
    finally:
        await process.close()


async def test_what_was_not_answered_is_sent_again_and_is_in_the_plan_once(process: Process) -> None:
    (patient,) = await furnish(process)
    opened = await process.by(COORDINATOR).post("/api/plans", json={"patient": patient})
    plan = (await process.by(COORDINATOR).get(f"/fhir/{opened.json()['care_plan']}")).json()
    answered: list[httpx.Response] = []
    sending = asyncio.create_task(_send_all(process, plan, answered))
    await eventually(lambda: _arrived(process, plan, SIZE // 5), within=60, every=0.02)
    process.kill()
    await sending
    assert 0 < len(answered) < SIZE, "killed too early or too late"
    await process.start()
    again: list[httpx.Response] = []
    await _send_all(process, plan, again)
    assert [answer.status_code for answer in again] == [200] * SIZE
    now = await process.by(COORDINATOR).get(f"/fhir/CarePlan/{plan['id']}")
    assert [now.text.count(f'"word {number}."') for number in range(SIZE)] == [1] * SIZE
    assert int(now.json()["meta"]["versionId"]) == int(plan["meta"]["versionId"]) + SIZE


async def _send_all(process: Process, plan: dict[str, Any], answered: list[httpx.Response]) -> None:
    """Everybody's contribution, from the same version; ``answered`` are those that came through."""
    few = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        new = {"detail": {"status": "not-started", "description": f"word {number}."}}
        mine = plan | {"activity": [*plan.get("activity", ()), new]}
        client = process.by(CLINICIANS[number % len(CLINICIANS)])
        async with few:
            try:
                answer = await client.post(f"/fhir/CarePlan/{plan['id']}/$contribute", json=mine)
            except httpx.TransportError:
                return
        answered.append(answer)

    await asyncio.gather(*map(one, range(SIZE)))


async def _arrived(process: Process, plan: dict[str, Any], size: int) -> bool:
    evidence = Evidence(process.databases)
    (row,) = await evidence.rows("careplans", "SELECT version FROM resource WHERE id = $1", plan["id"])
    await evidence.close()
    return int(row[0]) > int(plan["meta"]["versionId"]) + size
