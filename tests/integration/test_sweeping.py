"""Sweeps by several workers at once, by killed ones, and beside those who write."""

import asyncio
from datetime import timedelta

import pytest

from services.referrals.main import SERVICE
from shared.engine import Engine
from shared.messaging import inbox
from shared.service import Service
from shared.store.database import Pool
from shared.store.sweeping import Batch, Sweep, sweep, through

DAY = timedelta(days=1)


@pytest.fixture
def service() -> Service:
    """Any service has an inbox."""
    return SERVICE


async def many(pool: Pool, rows: int = 20_000) -> None:
    """Claims, every second one long handled."""
    await pool.execute(
        "INSERT INTO inbox SELECT 'c', n::text, now() - (n % 2) * interval '91 days' FROM generate_series(1, $1) n",
        rows,
    )


def counted(blocks: list[int], *, until: int | None = None) -> Sweep:
    """A sweep of the inbox that notes where its batches begin; it dies at block ``until``."""
    step = through("inbox", inbox._FORGET, 90 * DAY, blocks=8)

    async def noting(connection: object, position: int) -> Batch:
        if position == until:
            raise OSError("killed")
        blocks.append(position)
        return await step(connection, position)

    return Sweep("inbox", noting)


async def test_several_workers_share_a_sweep_and_do_nothing_twice(engine: Engine) -> None:
    await many(engine.pool)
    blocks: list[int] = []
    what, stop = counted(blocks), asyncio.Event()
    results = await asyncio.gather(*(sweep(engine.pool, what, f"w{n}", stop, share=1) for n in range(5)))
    assert sorted(result or 0 for result in results) == [0, 0, 0, 0, 10_000]
    assert blocks == sorted(set(blocks))
    assert len(blocks) > 5
    assert await engine.pool.fetchval("SELECT count(*) FROM inbox") == 10_000
    assert await sweep(engine.pool, what, "w9", stop) is None, "it is not due again"


async def test_a_killed_worker_leaves_its_place_and_another_goes_on(engine: Engine) -> None:
    await many(engine.pool)
    blocks: list[int] = []
    stop, lease = asyncio.Event(), timedelta(milliseconds=50)
    with pytest.raises(OSError, match="killed"):
        await sweep(engine.pool, counted(blocks, until=64), "w1", stop, lease=lease, share=1)
    before = await engine.pool.fetchval("SELECT count(*) FROM inbox")
    assert 10_000 < before < 20_000
    await engine.pool.execute("UPDATE retention_sweep SET lease_until = clock_timestamp() + interval '1 minute'")
    assert await sweep(engine.pool, counted(blocks), "w2", stop, share=1) is None, "the lease still stands"
    await engine.pool.execute("UPDATE retention_sweep SET lease_until = clock_timestamp() - interval '1 second'")
    assert await sweep(engine.pool, counted(blocks), "w2", stop, share=1) == before - 10_000
    assert blocks == sorted(set(blocks)), "nothing was swept twice"
    done = await engine.pool.fetchrow("SELECT deleted, position, holder FROM retention_sweep")
    assert tuple(done) == (10_000, 0, None)


async def test_a_worker_that_lost_its_lease_undoes_its_batch_and_stops(engine: Engine) -> None:
    await many(engine.pool)
    taken: list[int] = []
    inner = counted(taken)

    async def robbed(connection: object, position: int) -> Batch:
        if position == 16:
            await engine.pool.execute("UPDATE retention_sweep SET holder = 'another'")
        return await inner.step(connection, position)

    stop = asyncio.Event()
    deleted = await sweep(engine.pool, Sweep("inbox", robbed), "w1", stop, share=1)
    assert await engine.pool.fetchval("SELECT count(*) FROM inbox") == 20_000 - (deleted or 0)
    assert taken == [0, 8, 16]
    assert await engine.pool.fetchval("SELECT position FROM retention_sweep") == 16


async def test_a_sweep_that_is_told_to_stop_leaves_at_once_and_another_goes_on(engine: Engine) -> None:
    await many(engine.pool)
    stop = asyncio.Event()
    inner = counted([])

    async def stopping(connection: object, position: int) -> Batch:
        stop.set()
        return await inner.step(connection, position)

    first = await sweep(engine.pool, Sweep("inbox", stopping), "w1", stop, share=1)
    second = await sweep(engine.pool, inner, "w2", asyncio.Event(), share=1)
    assert (first or 0) + (second or 0) == 10_000


async def test_claims_made_during_a_sweep_are_kept(engine: Engine) -> None:
    await many(engine.pool)
    stop = asyncio.Event()

    async def claiming() -> int:
        made = 0
        while not stop.is_set():
            async with engine.pool.acquire() as connection:
                assert await inbox.claim(connection, "new", str(made))
            made += 1
        return made

    busy = asyncio.create_task(claiming())
    await sweep(engine.pool, counted([]), "w1", asyncio.Event(), share=0.25)
    stop.set()
    made = await busy
    assert made > 0
    assert await engine.pool.fetchval("SELECT count(*) FROM inbox WHERE consumer = 'new'") == made


async def test_a_clock_that_was_far_ahead_once_stops_no_sweep_for_years(engine: Engine) -> None:
    await many(engine.pool)
    await engine.pool.execute(
        """
        INSERT INTO retention_sweep (name, position, holder, lease_until, due_at)
        VALUES ('inbox', 0, 'gone', clock_timestamp() + interval '9 years', clock_timestamp() + interval '9 years')
        """
    )
    assert await sweep(engine.pool, counted([]), "w1", asyncio.Event(), share=1) == 10_000
    assert await sweep(engine.pool, counted([]), "w1", asyncio.Event(), share=1) is None, "it is due as ever"
