"""SIGKILL and a broker that is away while an accepted proposal becomes two referrals: exactly two in the end."""

import asyncio

import pytest

from services.careplans.store.orders import Stands
from tests.broker import Broker
from tests.e2e.evidence import Evidence
from tests.e2e.referring import furnish
from tests.e2e.test_accepted_proposals import CHOSEN, Accepted, accepted
from tests.eventually import eventually
from tests.factories.apart import Apart
from tests.factories.system import EHR

pytestmark = [pytest.mark.rabbitmq, pytest.mark.timeout(300)]


async def test_two_referrals_whoever_is_killed(
    installation: Apart, patients: list[str], evidence: Evidence, own_broker: Broker
) -> None:
    async def catalogue() -> bool:
        answer = await installation.by(EHR).get(f"/fhir/ActivityDefinition/{CHOSEN[0]}")
        return answer.status_code == 200

    await eventually(catalogue, within=60)
    await furnish(installation)
    away = list(installation.children["referrals", "api"])
    for child in away:
        await installation.lose(child)
    plan = await accepted(installation, patient=patients[0])
    assert len(await plan.activities()) == 2

    async def tried() -> bool:
        rows = await evidence.rows("careplans", "SELECT failures FROM referral_order")
        return len(rows) == 2 and all(row["failures"] > 0 for row in rows)

    await eventually(tried, within=60)
    workers = list(installation.children["careplans", "worker"])
    for child in workers:
        await installation.lose(child)
    await installation.come_up([installation.spawn("careplans", "worker") for _ in workers])
    await asyncio.to_thread(own_broker.stop)
    try:
        await installation.come_up([installation.spawn("referrals", "api") for _ in away])

        async def made() -> bool:
            rows = await evidence.rows("careplans", "SELECT state FROM referral_order")
            return [row["state"] for row in rows] == [Stands.MADE] * 2

        await eventually(made, within=140)
        await _two(plan)
    finally:
        await asyncio.to_thread(own_broker.ensure)

    async def followed() -> bool:
        rows = await evidence.rows("careplans", "SELECT version FROM followed_referral WHERE task = ANY($1)", tasks)
        return len(rows) == 2 and all(row["version"] > 0 for row in rows)

    tasks = [f"Task/{each['id']}" for each in await plan.referrals()]
    await eventually(followed, within=120)
    await _two(plan)


async def _two(plan: Accepted) -> None:
    assert len(await plan.referrals()) == 2
    assert len(await plan.activities()) == 2
