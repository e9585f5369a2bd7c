"""Processes killed with SIGKILL at the two places where it hurts, over both transports."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.messaging import outbox
from shared.messaging.envelope import Event
from shared.store.database import Pool
from tests.eventually import eventually
from tests.integration.messaging.support import (
    Carrier,
    an_event,
    commit,
    consuming,
    effect_once,
    effects,
    outgoing,
    relaying,
)


@asynccontextmanager
async def a_victim(role: str, carrier: Carrier, database_url: str) -> AsyncIterator[None]:
    """Inside the block another process hangs at its place; at the end of the block it has been killed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.integration.messaging.victim", role, carrier.kind, carrier.url, carrier.word, database_url),
        stdout=PIPE,
    )
    try:
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readline(), 30) == b"reached\n"
        yield
    finally:
        process.kill()
        await process.wait()


async def test_a_relay_killed_between_confirm_and_mark_publishes_again_and_the_effect_stays_one(
    carrier: Carrier, pool: Pool, database_url: str
) -> None:
    transport, queue, deliveries = await carrier.transport(), carrier.queue(), []
    await transport.declare([queue])
    events = [an_event(carrier.type(), f"Task/{n}") for n in range(5)]
    await commit(pool, events)
    async with a_victim("relay", carrier, database_url):
        assert await transport.depth(queue.name) == 5
        async with pool.acquire() as connection:
            assert (await outbox.depth(connection)).pending == 5

    async def count(event: Event) -> None:
        deliveries.append(event.id)

    async with relaying(pool, transport), consuming(transport, queue, effect_once(pool, count)):
        await eventually(lambda: _reached(deliveries, 10))
    assert sorted(await effects(pool)) == sorted(event.id for event in events)


async def test_a_consumer_killed_between_commit_and_ack_is_redelivered_and_the_effect_stays_one(
    carrier: Carrier, pool: Pool, database_url: str
) -> None:
    transport, queue, deliveries = await carrier.transport(), carrier.queue(), []
    await transport.declare([queue])
    event = an_event(carrier.type())
    await transport.publish([outgoing(event)])
    async with a_victim("consumer", carrier, database_url):
        assert await effects(pool) == [event.id]

    async def count(event: Event) -> None:
        deliveries.append(event.id)

    async with consuming(transport, queue, effect_once(pool, count)):
        await eventually(lambda: _reached(deliveries, 1))
    assert await effects(pool) == [event.id]
    assert await transport.depth(queue.name) == 0


async def _reached(things: list[str], size: int) -> bool:
    return len(things) >= size
