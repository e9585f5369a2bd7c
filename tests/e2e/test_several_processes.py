"""Two processes with workers on the same databases and carrier: the work is shared and nothing is done twice."""

import asyncio

import pytest

from tests.e2e.evidence import Evidence
from tests.e2e.referring import burst, furnish
from tests.eventually import eventually
from tests.factories.system import System

pytestmark = pytest.mark.timeout(300)


async def test_two_processes_share_a_burst_and_each_referral_has_one_effect(system: System, evidence: Evidence) -> None:
    async with system.site(processes=2) as one, system.site(processes=2) as other:
        patients = await furnish(one, 8)
        async with one.working(), other.working():
            halves = await asyncio.gather(burst(one, patients, 100), burst(other, patients, 100))
            sent = [referral for half in halves for referral in half]
            assert len(sent) == 200
            await eventually(lambda: evidence.settled(sent), within=150, every=0.2)


async def test_one_of_two_processes_killed_hands_its_work_to_the_other(system: System, evidence: Evidence) -> None:
    async with system.site(processes=2) as one, system.site(processes=2) as other, other.working():
        patients = await furnish(one, 8)
        async with one.working() as doomed:
            sending = asyncio.create_task(burst(other, patients, 100))
            await eventually(lambda: _begun(evidence), every=0.01)
            await doomed.kill()
            sent = await sending
        await eventually(lambda: evidence.settled(sent), within=150, every=0.2)


async def _begun(evidence: Evidence) -> bool:
    (row,) = await evidence.rows("careplans", "SELECT count(*) FROM inbox")
    return int(row[0]) > 0
