"""LISTEN on one connection of its own, through every loss of it."""

import asyncio
import logging
from collections.abc import Callable

import asyncpg

from shared.store.database import Pool

log = logging.getLogger(__name__)

LOSSES = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
"""What a lost database looks like."""


async def listen(pool: Pool, channel: str, ring: Callable[[], None], stop: asyncio.Event) -> None:
    """Call ``ring`` at every NOTIFY on ``channel``, and once after each (re)connection, until ``stop``."""
    while not stop.is_set():
        try:
            await _listen_once(pool, channel, ring, stop)
        except LOSSES as error:
            log.warning("listening on %s was interrupted: %s", channel, type(error).__name__)
        if not stop.is_set():
            await pause(stop, 0.5)


async def pause(event: asyncio.Event, seconds: float) -> None:
    """Wait for ``event``, at most ``seconds``."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


async def _listen_once(pool: Pool, channel: str, ring: Callable[[], None], stop: asyncio.Event) -> None:
    async with pool.acquire() as connection:
        done = asyncio.Event()
        stopped = asyncio.create_task(stop.wait())
        stopped.add_done_callback(lambda task: done.set())

        def heard(*notification: object) -> None:
            ring()

        def lost(connection: object) -> None:
            done.set()

        connection.add_termination_listener(lost)
        await connection.add_listener(channel, heard)
        try:
            ring()
            await done.wait()
        finally:
            stopped.cancel()
            connection.remove_termination_listener(lost)
            await connection.remove_listener(channel, heard)
