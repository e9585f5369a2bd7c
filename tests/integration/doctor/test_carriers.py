"""What the doctor finds of the carriers of messages: the broker and the bus."""

import aio_pika
import asyncpg
import pytest

from shared.doctor import carriers
from shared.doctor.finding import Level, as_text
from shared.ids import uuid7
from shared.messaging.topology import EXCHANGE, Queue
from shared.messaging.transports.in_process import open_in_process
from shared.messaging.transports.rabbitmq import RabbitTransport
from shared.store.database import open_pool
from tests.integration.doctor.judging import holds
from tests.ports import refusing_port


@pytest.fixture
def queue() -> Queue:
    """A queue of the test's own."""
    return Queue(f"doctor.{uuid7()}", ("doctor.#",))


@pytest.mark.rabbitmq
async def test_a_missing_a_foreign_and_an_abandoned_queue_are_found(amqp_url: str, queue: Queue) -> None:
    async with await aio_pika.connect(amqp_url) as connection, connection.channel() as channel:
        await channel.declare_exchange(EXCHANGE, aio_pika.ExchangeType.TOPIC, durable=True)
    holds(await carriers.broker(amqp_url, [queue]), Level.FAILURE, f"the queue {queue.name} is missing")
    transport = RabbitTransport(amqp_url)
    await transport.declare([queue])
    await transport.close()
    holds(await carriers.broker(amqp_url, [queue]), Level.WARNING, "nobody consumes")
    async with await aio_pika.connect(amqp_url) as connection, connection.channel() as channel:
        await channel.default_exchange.publish(aio_pika.Message(b"x"), queue.dead)
        await channel.queue_delete(queue.retry(2))
        await channel.declare_queue(queue.retry(2), durable=True)
        found = await carriers.broker(amqp_url, [queue])
        holds(found, Level.WARNING, "1 dead letters")
        holds(found, Level.FAILURE, f"{queue.retry(2)} is of another kind")
        for name in (queue.name, queue.dead, *(queue.retry(number) for number in range(1, 6))):
            await channel.queue_delete(name)


@pytest.mark.rabbitmq
async def test_a_wrong_password_at_the_broker_is_told(amqp_url: str, queue: Queue) -> None:
    wrong = amqp_url.replace("guest:guest", "guest:s3cret")
    found = await carriers.broker(wrong, [queue])
    holds(found, Level.FAILURE, "not accepted")
    assert "s3cret" not in as_text(found)


async def test_a_broker_that_is_not_there_is_told(queue: Queue) -> None:
    url = f"amqp://guest:s3cret@127.0.0.1:{refusing_port()}/"
    found = await carriers.broker(url, [queue])
    holds(found, Level.FAILURE, "cannot be reached")
    assert "s3cret" not in as_text(found)


async def test_the_bus_tells_of_its_dead_letters(database_url: str) -> None:
    holds(await carriers.bus(database_url), Level.WARNING, "never used")
    transport = await open_in_process(await open_pool(database_url, size=2))
    await transport.close()
    holds(await carriers.bus(database_url), Level.OK, "none dead")
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        "INSERT INTO bus_message (queue, event_id, type, body, dead_at) VALUES ('q', 'e', 't', '', now())"
    )
    await connection.close()
    holds(await carriers.bus(database_url), Level.WARNING, "1 dead letters")
