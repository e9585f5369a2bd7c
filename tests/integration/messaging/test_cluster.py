"""RabbitMQ as a cluster of three real nodes: it stands the loss of any one, and waits where it lost two."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress

import pytest

from shared.messaging import outbox
from shared.messaging.envelope import Event
from shared.messaging.relay import LOSSES, Relay
from shared.messaging.transports.rabbitmq_connecting import connect
from shared.store.database import Pool
from tests.broker import Broker
from tests.conftest import started_broker
from tests.eventually import eventually
from tests.integration.messaging.support import (
    Carrier,
    an_event,
    commit,
    consuming,
    effect_once,
    effects,
    relaying,
)

pytestmark = pytest.mark.rabbitmq

RECOVERS_WITHIN = 90.0
"""Seconds; only a bound: nodes that come back on a busy machine take their time."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[list[Broker]]:
    """Three nodes that know each other; a test leaves them running."""
    with ExitStack() as stack:
        nodes = [stack.enter_context(closing(started_broker()))]
        for _ in range(2):
            node = stack.enter_context(closing(Broker(beside=nodes[0])))
            node.start()
            nodes.append(node)
        yield nodes


def urls(nodes: list[Broker]) -> str:
    """What ``CONSILIUM_AMQP_URL`` is told of a cluster."""
    return ",".join(node.url for node in nodes)


async def exactly(pool: Pool, events: list[Event]) -> bool:
    """Whether every event had an effect; fails where one had two."""
    done = await effects(pool)
    assert len(done) == len(set(done)), "an effect was doubled"
    return set(done) == {event.id for event in events}


async def pending(pool: Pool) -> int:
    async with pool.acquire() as connection:
        return (await outbox.depth(connection)).pending


async def nothing_waits(pool: Pool) -> bool:
    return await pending(pool) == 0


async def test_a_queue_that_is_declared_by_one_node_is_reached_by_all(cluster: list[Broker]) -> None:
    carrier = Carrier("rabbitmq", cluster[0].url)
    queue = carrier.queue()
    await (await carrier.transport()).declare([queue])
    for node in cluster:
        async with await connect(node.url) as connection:
            channel = await connection.channel()
            assert (await channel.declare_queue(queue.name, passive=True)).declaration_result.message_count == 0
    await carrier.close()


async def test_each_node_killed_in_turn_during_a_burst_loses_nothing(cluster: list[Broker], pool: Pool) -> None:
    carrier = Carrier("rabbitmq", urls(cluster))
    publishing, hearing, queue = await carrier.transport(), await carrier.transport(), carrier.queue()
    await publishing.declare([queue])
    events: list[Event] = []

    async def burst(size: int) -> None:
        for number in range(size):
            event = an_event(carrier.type(), f"Task/{number % 20}", number)
            await commit(pool, [event])
            events.append(event)

    async def more(than: int) -> bool:
        return len(await effects(pool)) >= than

    async with relaying(pool, publishing), consuming(hearing, queue, effect_once(pool)):
        for node in cluster:
            beginning = len(events) + 10
            writing = asyncio.create_task(burst(100))
            await eventually(lambda than=beginning: more(than), within=RECOVERS_WITHIN, every=0.005)
            await asyncio.to_thread(node.kill)
            await writing
            # the other two go on without it
            await eventually(lambda: exactly(pool, events), within=RECOVERS_WITHIN)
            await asyncio.to_thread(node.start)
    for transport in carrier.transports:
        await transport.close()


async def test_without_a_majority_events_wait_in_the_outbox(cluster: list[Broker], pool: Pool) -> None:
    carrier = Carrier("rabbitmq", urls(cluster))
    publishing, hearing, queue = await carrier.transport(), await carrier.transport(), carrier.queue()
    await publishing.declare([queue])
    before, meanwhile = ([an_event(carrier.type(), f"Task/{n}", n) for n in range(20)] for _ in range(2))
    async with consuming(hearing, queue, effect_once(pool)):
        async with relaying(pool, publishing):
            await commit(pool, before)
            await eventually(lambda: exactly(pool, before), within=RECOVERS_WITHIN)
        for node in cluster[:2]:
            await asyncio.to_thread(node.kill)
        await commit(pool, meanwhile)
        # by hand, before any node is back: with the first of them there is a majority again
        with suppress(LOSSES):  # no answer within the time, or each event is rejected for want of a leader
            assert await Relay(pool, publishing).step() == 0
        assert await pending(pool) == len(meanwhile), "one node of three confirmed"
        async with relaying(pool, publishing):
            for node in cluster[:2]:
                await asyncio.to_thread(node.start)
            await eventually(lambda: exactly(pool, before + meanwhile), within=RECOVERS_WITHIN)
            await eventually(lambda: nothing_waits(pool), within=RECOVERS_WITHIN)
    for transport in carrier.transports:
        await transport.close()
