"""What a message looks like on RabbitMQ: ids and codes in its headers, the broker's own marks gone after a replay."""

from collections.abc import AsyncIterator

import aio_pika
import pytest
from aio_pika.abc import AbstractIncomingMessage

from shared.errors import Conflict
from shared.messaging.envelope import Event
from tests.eventually import eventually
from tests.integration.messaging.support import Carrier, an_event, consuming, outgoing

pytestmark = pytest.mark.rabbitmq


@pytest.fixture
async def shared_bus(amqp_url: str) -> AsyncIterator[Carrier]:
    """The session's broker."""
    carrier = Carrier("rabbitmq", amqp_url)
    yield carrier
    await carrier.close()


async def first_of(carrier: Carrier, name: str) -> AbstractIncomingMessage:
    """The first message of a queue; it stays there."""
    async with await aio_pika.connect(carrier.url) as connection:
        queue = await (await connection.channel()).get_queue(name)
        message = await queue.get(no_ack=False)
        assert message is not None
        await message.nack(requeue=True)
        return message


def sent_headers(message: AbstractIncomingMessage) -> dict[str, object]:
    """Its headers as they were sent: the broker adds a delivery count, which is 0 for one that has no past."""
    headers: dict[str, object] = dict(message.headers)
    assert headers.pop("x-delivery-count", 0) == 0
    return headers


async def refuse(_: Event) -> None:
    """A handler that always fails."""
    raise Conflict("never")


async def test_a_published_event_has_its_id_its_type_and_its_trace_outside_and_nothing_else(
    shared_bus: Carrier,
) -> None:
    transport, queue, event = await shared_bus.transport(), shared_bus.queue(), an_event(shared_bus.type())
    await transport.declare([queue])
    await transport.publish([outgoing(event)])
    message = await first_of(shared_bus, queue.name)
    assert sent_headers(message) == {"traceparent": event.traceparent}
    assert (message.message_id, message.type) == (event.id, event.type)
    assert message.content_type == "application/cloudevents+json"
    assert message.delivery_mode == aio_pika.DeliveryMode.PERSISTENT


async def test_a_dead_letter_carries_its_record_and_a_replayed_one_only_its_trace(shared_bus: Carrier) -> None:
    transport, queue, event = (
        await shared_bus.transport(),
        shared_bus.queue(delays=(0.01,)),
        an_event(shared_bus.type()),
    )
    await transport.declare([queue])
    await transport.publish([outgoing(event)])
    async with consuming(transport, queue, refuse):
        await eventually(lambda: transport.dead_list(queue.name))
    dead = await first_of(shared_bus, queue.dead)
    assert {name for name in dead.headers if name.startswith("x-consilium-")} == {
        "x-consilium-attempts",
        "x-consilium-reason",
        "x-consilium-first-failed",
        "x-consilium-last-failed",
    }
    assert await transport.dead_replay(queue.name) == 1
    replayed = await first_of(shared_bus, queue.name)
    assert sent_headers(replayed) == {"traceparent": event.traceparent}
    assert replayed.body == dead.body
    assert replayed.message_id == event.id


async def test_every_queue_is_a_quorum_queue(shared_bus: Carrier) -> None:
    transport, queue = await shared_bus.transport(), shared_bus.queue()
    await transport.declare([queue])
    for name in (queue.name, queue.dead, queue.retry(1)):
        async with await aio_pika.connect(shared_bus.url) as connection:
            channel = await connection.channel()
            with pytest.raises(aio_pika.exceptions.ChannelPreconditionFailed):
                await channel.declare_queue(name, durable=True, arguments={"x-queue-type": "classic"})
