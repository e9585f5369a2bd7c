"""Sweeps: what retention lets go of is deleted in small batches, by one worker at a time, from where the last one was.

A batch is one short transaction: what it deletes and how far it came are committed together. Who holds a sweep renews a
lease with every batch; whoever is killed leaves its position, and another goes on from there when the lease has ended.
Deleting is safe to repeat, so a lease that was lost unnoticed does no harm.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from shared.store.database import Connection, Pool
from shared.telemetry.measures import RETENTION_DELETED
from shared.telemetry.pools import name_of

LEASE = timedelta(seconds=60)
"""Much longer than a batch and the pause after it."""
BLOCKS = 128
"""Of 8 kB, that a sweep through a table takes at a time: at most some thousand rows."""
SHARE = 0.25
"""Of the time, that a sweep is at work; the rest belongs to those who serve."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What a batch did: how many rows it deleted, and where the next one begins (None: there is none)."""

    deleted: int
    position: int | None


@dataclass(frozen=True, slots=True)
class Sweep:
    """One kind of rows that are let go of. ``step`` deletes a batch from a position on, 0 at first."""

    name: str
    step: Callable[[Connection, int], Awaitable[Batch]]
    every: timedelta = timedelta(hours=6)
    """From the end of one sweep to the next."""


def through(table: str, statement: str, *arguments: object, blocks: int = BLOCKS) -> Callable[..., Awaitable[Batch]]:
    """A step that walks through ``table`` as it lies on disk, without any index and no matter how much is deleted.

    ``statement`` counts what it deletes; ``{reach}`` in it stands for the blocks of the table, which it calls ``d``.
    ``arguments`` are ``$3`` and so on."""
    text = statement.replace("{reach}", "d.ctid >= $1::tid AND d.ctid < $2::tid")

    async def step(connection: Connection, position: int) -> Batch:
        end = position + blocks
        deleted = await connection.fetchval(text, (position, 0), (end, 0), *arguments)
        size = await connection.fetchval(
            "SELECT pg_relation_size($1::text::regclass) / current_setting('block_size')::bigint", table
        )
        return Batch(deleted, end if end < size else None)

    return step


# what lies further ahead than we ever write it was written while the clock was wrong: it would hold us up for as long
_CLAIM = """
INSERT INTO retention_sweep AS s (name, holder, lease_until) VALUES ($1, $2, clock_timestamp() + $3::interval)
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, lease_until = excluded.lease_until,
    deleted = CASE WHEN s.position = 0 THEN 0 ELSE s.deleted END
WHERE (s.lease_until IS NULL OR s.lease_until < clock_timestamp()
        OR s.lease_until > clock_timestamp() + 2 * $3::interval)
    AND (s.due_at <= clock_timestamp() OR s.due_at > clock_timestamp() + $4::interval)
RETURNING position
"""
_GO_ON = """
UPDATE retention_sweep SET position = $3, deleted = deleted + $4, lease_until = clock_timestamp() + $5::interval
WHERE name = $1 AND holder = $2 RETURNING true
"""
_FINISH = """
UPDATE retention_sweep SET position = 0, deleted = deleted + $3, holder = NULL, lease_until = NULL,
    due_at = clock_timestamp() + $4::interval, finished_at = clock_timestamp()
WHERE name = $1 AND holder = $2 RETURNING true
"""
_LEAVE = "UPDATE retention_sweep SET holder = NULL, lease_until = NULL WHERE name = $1 AND holder = $2"


async def sweep(
    pool: Pool, what: Sweep, holder: str, stop: asyncio.Event, *, lease: timedelta = LEASE, share: float = SHARE
) -> int | None:
    """Sweep to the end, or until ``stop``; how many rows were deleted. None: not due, or in other hands.

    ``holder`` names this process. Raises what asyncpg raises; the next sweep goes on from the last batch."""
    position: int | None = await pool.fetchval(_CLAIM, what.name, holder, lease, what.every)
    deleted = 0
    while position is not None:
        if stop.is_set():
            await pool.execute(_LEAVE, what.name, holder)
            return deleted
        began = time.monotonic()
        batch = await _batch(pool, what, holder, position, lease)
        if batch is None:
            return deleted
        RETENTION_DELETED.add(name_of(pool), what.name, by=batch.deleted)
        deleted, position = deleted + batch.deleted, batch.position
        if position is None:
            return deleted
        await _rest(stop, (time.monotonic() - began) * (1 / share - 1))
    return None


async def _batch(pool: Pool, what: Sweep, holder: str, position: int, lease: timedelta) -> Batch | None:
    """One batch, and how far it came; None where somebody else has the sweep by now."""
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            # a batch that a crash undoes is done again: nobody needs to wait for the disk
            await connection.execute("SET LOCAL synchronous_commit = off")
            batch = await what.step(connection, position)
            if batch.position is None:
                held = await connection.fetchval(_FINISH, what.name, holder, batch.deleted, what.every)
            else:
                held = await connection.fetchval(_GO_ON, what.name, holder, batch.position, batch.deleted, lease)
        except BaseException:
            if not connection.is_closed() and connection.is_in_transaction():
                await transaction.rollback()
            raise
        await (transaction.commit() if held else transaction.rollback())
        return batch if held else None


async def _rest(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
