"""RabbitMQ stopped, and its queues deleted, in the middle of a burst of referrals."""

import asyncio
from functools import partial

import aio_pika
import pytest

from tests.broker import Broker
from tests.e2e.evidence import CAREPLANS, EVENTS, Evidence
from tests.e2e.referring import burst, furnish
from tests.eventually import eventually
from tests.factories.system import System

pytestmark = [pytest.mark.rabbitmq, pytest.mark.timeout(420)]

PATIENTS = 25
BEFORE, AT_A_TIME, WHILE, AFTER = 60, 30, 120, 120
"""Referrals: before the broker is told to stop, at a time while it stops, at most while it stops, after it stopped."""
PER_DELETION = 60


async def test_a_broker_stopped_during_a_burst_and_started_again_loses_and_doubles_nothing(
    rabbit_system: System, clean_broker: Broker, evidence: Evidence
) -> None:
    async with rabbit_system.site() as site, site.working():
        patients = await furnish(site, PATIENTS)
        sent, asked = await burst(site, patients, BEFORE), BEFORE
        await eventually(lambda: _heard(evidence, 20), within=60)
        stopping = asyncio.create_task(asyncio.to_thread(clean_broker.stop))
        try:
            while not stopping.done() and asked < BEFORE + WHILE:
                sent += await burst(site, patients, AT_A_TIME)
                asked += AT_A_TIME
            await stopping
            sent += await burst(site, patients, AFTER)
            asked += AFTER
            assert len(sent) == asked, "a referral was refused because the broker was away"
            await eventually(lambda: _waiting(evidence, AFTER))
        finally:
            await asyncio.to_thread(clean_broker.ensure)
        await eventually(lambda: evidence.settled(sent), within=200, every=0.5)


@pytest.mark.parametrize("queue", [CAREPLANS, EVENTS])
async def test_a_queue_deleted_during_a_burst_is_filled_again(
    rabbit_system: System, clean_broker: Broker, evidence: Evidence, queue: str
) -> None:
    async with rabbit_system.site() as site, site.working():
        patients, sent = await furnish(site, PATIENTS), []
        for heard in (20, PER_DELETION + 20):
            sending = asyncio.create_task(burst(site, patients, PER_DELETION))
            await eventually(partial(_heard, evidence, heard), within=60, every=0.01)
            await _delete(clean_broker.url, queue)
            sent += await sending
        sent += await burst(site, patients, PER_DELETION)  # also where the others were all heard before the deletion
        assert len(sent) == 3 * PER_DELETION
        await eventually(lambda: evidence.settled(sent), within=200, every=0.5)


async def _waiting(evidence: Evidence, least: int) -> bool:
    """Whether at least so many events wait in the outbox of the referrals."""
    (row,) = await evidence.rows("referrals", "SELECT count(*) FROM outbox WHERE published_at IS NULL")
    return int(row[0]) >= least


async def _heard(evidence: Evidence, size: int) -> bool:
    (row,) = await evidence.rows("careplans", "SELECT count(*) FROM inbox")
    return int(row[0]) >= size


async def _delete(url: str, queue: str) -> None:
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        await channel.queue_delete(queue)
