"""RabbitMQ lost in every way: stopped, killed, its queues deleted. Nothing is lost, nothing has two effects."""

import asyncio
from collections.abc import AsyncIterator

import aio_pika
import aiormq
import pytest
from aio_pika.abc import AbstractChannel, AbstractConnection
from pamqp.common import FieldTable

from shared.messaging import outbox
from shared.messaging.envelope import Event
from shared.messaging.refill import refill_consumer
from shared.messaging.relay import Relay
from shared.messaging.topology import EXCHANGE
from shared.messaging.transport import REJECTED, Outgoing, Unconfirmed
from shared.messaging.transports import rabbitmq_consumer
from shared.messaging.transports.rabbitmq_publisher import CHANNEL_LASTS, Publisher
from shared.messaging.transports.rabbitmq_topology import declare_exchange
from shared.store.database import Pool
from tests.broker import Broker
from tests.eventually import eventually
from tests.integration.messaging.support import (
    QUICK,
    Carrier,
    an_event,
    commit,
    consuming,
    effect_once,
    effects,
    outgoing,
    relaying,
)

pytestmark = pytest.mark.rabbitmq

RECOVERS_WITHIN = 60.0
"""Seconds; only a bound: a consumer on a busy machine takes its time to come back."""


@pytest.fixture
async def shared_bus(amqp_url: str) -> AsyncIterator[Carrier]:
    """The session's broker."""
    carrier = Carrier("rabbitmq", amqp_url)
    yield carrier
    await carrier.close()


async def all_of(pool: Pool, events: list[Event]) -> bool:
    """Whether every event had exactly one effect."""
    done = await effects(pool)
    assert len(done) == len(set(done)), "an effect was doubled"
    return set(done) == {event.id for event in events}


async def test_a_broker_stopped_and_killed_during_a_burst_loses_nothing(broker: Broker, pool: Pool) -> None:
    carrier = Carrier("rabbitmq", broker.url)
    publishing, hearing, queue = await carrier.transport(), await carrier.transport(), carrier.queue()
    await publishing.declare([queue])
    events = [an_event(carrier.type(), f"Task/{n % 50}", n) for n in range(500)]

    async def burst(some: list[Event]) -> None:
        for event in some:
            await commit(pool, [event])

    async with relaying(pool, publishing), consuming(hearing, queue, effect_once(pool)):
        writing = asyncio.create_task(burst(events[:300]))
        await eventually(lambda: _more(pool, 20), within=RECOVERS_WITHIN, every=0.005)
        await asyncio.to_thread(broker.stop)
        await writing
        await burst(events[300:])  # nobody can carry these, however fast the others went
        async with pool.acquire() as connection:
            assert (await outbox.depth(connection)).pending > 0
        await asyncio.to_thread(broker.start)
        await eventually(lambda: _more(pool, 310), within=RECOVERS_WITHIN, every=0.005)
        await asyncio.to_thread(broker.kill)
        await asyncio.to_thread(broker.start)
        await eventually(lambda: all_of(pool, events), within=RECOVERS_WITHIN)
    await carrier.close()


async def test_a_consumer_comes_back_after_its_queue_was_deleted(shared_bus: Carrier, pool: Pool) -> None:
    carrier, queue = shared_bus, shared_bus.queue()
    transport, hearing = await carrier.transport(), await carrier.transport()
    # as in every worker: what the broker confirms while it deletes the queue is asked for again
    refills = refill_consumer(carrier.word, pool, transport, lambda: None)
    carrier.queues.append(refills.queue)
    await transport.declare([refills.queue, queue])
    refilling = consuming(transport, refills.queue, refills.handler)
    before, after = [an_event(carrier.type()) for _ in range(5)], [an_event(carrier.type()) for _ in range(5)]
    async with relaying(pool, transport), refilling, consuming(hearing, queue, effect_once(pool)):
        await commit(pool, before)
        await eventually(lambda: all_of(pool, before), within=RECOVERS_WITHIN)
        await delete(carrier, queue.name)
        await commit(pool, after)
        await eventually(lambda: all_of(pool, before + after), within=RECOVERS_WITHIN)


async def test_events_published_while_their_only_queue_was_missing_are_not_lost(
    shared_bus: Carrier, pool: Pool
) -> None:
    carrier, queue = shared_bus, shared_bus.queue()
    transport, hearing = await carrier.transport(), await carrier.transport()
    await transport.declare([queue])
    await delete(carrier, queue.name)
    events = [an_event(carrier.type(), f"Task/{n % 3}", n) for n in range(20)]
    await commit(pool, events)
    async with relaying(pool, transport):
        await eventually(lambda: _none_pending(pool), within=RECOVERS_WITHIN)
    async with consuming(hearing, queue, effect_once(pool)):
        await eventually(lambda: all_of(pool, events), within=RECOVERS_WITHIN)


async def test_what_waited_in_a_deleted_queue_and_what_passed_it_by_is_filled_in_again(
    shared_bus: Carrier, pool: Pool
) -> None:
    carrier = shared_bus
    queue, other = carrier.queue(), carrier.queue(name="other")
    transport, hearing = await carrier.transport(), await carrier.transport()
    relay, stop = Relay(pool, transport, QUICK), asyncio.Event()
    refills = refill_consumer(carrier.word, pool, transport, relay.wake)
    carrier.queues.append(refills.queue)
    await transport.declare([refills.queue, queue, other])
    waiting, passing = [an_event(carrier.type()) for _ in range(5)], [an_event(carrier.type()) for _ in range(5)]
    relaying_task = asyncio.create_task(relay.run(stop))
    try:
        async with consuming(transport, refills.queue, refills.handler):
            await commit(pool, waiting)
            await eventually(lambda: _none_pending(pool), within=RECOVERS_WITHIN)
            await delete(carrier, queue.name)  # with five messages in it
            await commit(pool, passing)  # confirmed: ``other`` hears them
            await eventually(lambda: _none_pending(pool), within=RECOVERS_WITHIN)
            async with consuming(hearing, queue, effect_once(pool)):
                await eventually(lambda: all_of(pool, waiting + passing), within=RECOVERS_WITHIN)
    finally:
        stop.set()
        await relaying_task


async def test_an_answer_that_never_ends_does_not_keep_the_consumer(
    shared_bus: Carrier, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As aiormq's do where the connection ended while they waited to be written."""
    acknowledge, tried, acknowledged = aiormq.Channel.basic_ack, asyncio.Event(), asyncio.Event()

    async def never_at_first(channel: aiormq.Channel, delivery_tag: int, multiple: bool = False) -> None:
        if not tried.is_set():
            tried.set()
            await asyncio.Event().wait()
        await acknowledge(channel, delivery_tag, multiple)
        acknowledged.set()

    monkeypatch.setattr(aiormq.Channel, "basic_ack", never_at_first)
    monkeypatch.setattr(rabbitmq_consumer, "ANSWERED_WITHIN", 0.2)
    transport, queue, type_ = await shared_bus.transport(), shared_bus.queue(), shared_bus.type()
    await transport.declare([queue])
    event = an_event(type_)
    async with consuming(transport, queue, effect_once(pool)):
        await transport.publish([outgoing(event)])
        async with asyncio.timeout(RECOVERS_WITHIN):
            await acknowledged.wait()
        assert await all_of(pool, [event])


async def test_a_retry_queue_that_is_deleted_comes_back(shared_bus: Carrier, pool: Pool) -> None:
    carrier, queue, failing = shared_bus, shared_bus.queue(), [True]
    transport = await carrier.transport()
    await transport.declare([queue])

    async def handle(event: Event) -> None:
        if failing:
            await delete(carrier, queue.retry(1))
            failing.clear()
            raise ValueError("once")
        await effect_once(pool)(event)

    events = [an_event(carrier.type())]
    await commit(pool, events)
    async with relaying(pool, transport), consuming(transport, queue, handle):
        await eventually(lambda: all_of(pool, events), within=RECOVERS_WITHIN)


async def delete(carrier: Carrier, name: str) -> None:
    """Delete a queue as an operator would."""
    async with await aio_pika.connect(carrier.url) as connection:
        channel = await connection.channel()
        await channel.queue_delete(name)


async def _more(pool: Pool, size: int) -> bool:
    return len(await effects(pool)) >= size


async def _none_pending(pool: Pool) -> bool:
    async with pool.acquire() as connection:
        return (await outbox.depth(connection)).pending == 0


async def test_a_channel_on_which_events_were_rejected_is_not_used_again(shared_bus: Carrier) -> None:
    """One that was opened while a queue had no leader rejects all for as long as the node that led is away."""
    clock = [0.0]
    publisher, queue = Publisher(shared_bus.url, now=lambda: clock[0]), shared_bus.queue()
    async with await aio_pika.connect(shared_bus.url) as connection:
        channel = await connection.channel()
        await declare_exchange(channel, EXCHANGE)
        limits: FieldTable = {"x-max-length": 1, "x-overflow": "reject-publish"}
        full = await channel.declare_queue(queue.name, arguments=limits)
        await full.bind(EXCHANGE, *queue.routing_keys)
        before = await publisher.channel()
        events = [outgoing(an_event(shared_bus.type(), f"Task/{n}", n)) for n in range(3)]
        await publisher.publish(events[:1])
        assert await publisher.channel() is before
        await rejected(publisher, events[1:])
        assert before.is_closed
        after = await publisher.channel()
        assert connection_of(after) is connection_of(before), "a full queue costs a connection"
        await rejected(publisher, events[1:])
        assert await publisher.channel() is after, "a full queue costs a channel with every batch"
        clock[0] += CHANNEL_LASTS
        await rejected(publisher, events[1:])
        assert after.is_closed
        await full.purge()
        await publisher.publish(events[1:2])
    await publisher.close()


async def test_a_connection_that_ends_while_the_channel_is_changed_is_made_anew(shared_bus: Carrier) -> None:
    publisher, queue = Publisher(shared_bus.url), shared_bus.queue()
    async with await aio_pika.connect(shared_bus.url) as connection:
        channel = await connection.channel()
        await declare_exchange(channel, EXCHANGE)
        full = await channel.declare_queue(queue.name)
        await full.bind(EXCHANGE, *queue.routing_keys)
        await connection_of(await publisher.channel()).close()
        await publisher._change_channel()
        await publisher.publish([outgoing(an_event(shared_bus.type(), "Task/1", 1))])
    await publisher.close()


async def rejected(publisher: Publisher, events: list[Outgoing]) -> None:
    """Publish what a full queue does not take."""
    with pytest.raises(Unconfirmed) as failed:
        await publisher.publish(events)
    assert set(failed.value.failed.values()) == {REJECTED}


def connection_of(channel: AbstractChannel) -> AbstractConnection:
    """The connection that a channel was opened on."""
    return channel._connection
