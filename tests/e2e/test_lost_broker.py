"""RabbitMQ stopped, and its queues deleted, in the middle of a burst of referrals."""

import asyncio

import aio_pika
import pytest

from tests.broker import Broker
from tests.e2e.evidence import CAREPLANS, EVENTS, Evidence
from tests.e2e.referring import burst, furnish
from tests.eventually import eventually
from tests.factories.system import System

pytestmark = [pytest.mark.rabbitmq, pytest.mark.timeout(180)]

SIZE, SMALLER, PATIENTS = 500, 250, 25


async def test_a_broker_stopped_during_a_burst_and_started_again_loses_and_doubles_nothing(
    rabbit_system: System, clean_broker: Broker, evidence: Evidence
) -> None:
    async with rabbit_system.site() as site, site.working():
        patients = await furnish(site, PATIENTS)
        sending = asyncio.create_task(burst(site, patients, SIZE))
        await eventually(lambda: _heard(evidence, 20), every=0.01)
        await asyncio.to_thread(clean_broker.stop)
        sent = await sending
        assert len(sent) == SIZE, "a referral was refused because the broker was away"
        (row,) = await evidence.rows("referrals", "SELECT count(*) FROM outbox WHERE published_at IS NULL")
        assert row[0] > 0, "the broker was stopped too late"
        await asyncio.to_thread(clean_broker.start)
        await eventually(lambda: evidence.settled(sent), within=90, every=0.5)


@pytest.mark.parametrize("queue", [CAREPLANS, EVENTS])
async def test_a_queue_deleted_during_a_burst_is_filled_again(
    rabbit_system: System, clean_broker: Broker, evidence: Evidence, queue: str
) -> None:
    async with rabbit_system.site() as site, site.working():
        patients = await furnish(site, PATIENTS)
        sending = asyncio.create_task(burst(site, patients, SMALLER))
        for heard in (20, 120):
            await eventually(lambda heard=heard: _heard(evidence, heard), every=0.01)
            await _delete(clean_broker.url, queue)
        sent = await sending
        assert len(sent) == SMALLER
        await eventually(lambda: evidence.settled(sent), within=90, every=0.5)


async def _heard(evidence: Evidence, size: int) -> bool:
    (row,) = await evidence.rows("careplans", "SELECT count(*) FROM inbox")
    return int(row[0]) >= size


async def _delete(url: str, queue: str) -> None:
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        await channel.queue_delete(queue)
