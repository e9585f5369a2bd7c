"""What notifications lets go of: what arrived, long ago. What is on its way, failed, or could be told again stays."""

import asyncio
from datetime import timedelta

import httpx

from services.notifications.retention import sweeps
from services.notifications.store import stream
from shared.engine import Engine
from shared.ids import uuid7
from shared.store.sweeping import Sweep, sweep
from tests.integration.notifications.support import deliveries, hears, referral


def named(name: str) -> Sweep:
    return next(one for one in sweeps() if one.name == name)


async def swept(engine: Engine, name: str) -> int | None:
    await engine.pool.execute("UPDATE retention_sweep SET due_at = '-infinity'")
    return await sweep(engine.pool, named(name), "w1", asyncio.Event(), share=1)


async def put_down(engine: Engine, communication: str, *rows: tuple[str, int | None]) -> None:
    """Deliveries of one Communication: (status, days since it was settled)."""
    for status, days in rows:
        await engine.pool.execute(
            "INSERT INTO delivery (id, communication, event_id, told_as, type, receiver, channel, text, focus, status,"
            " attempts, created_at, settled_at) VALUES ($1, $2, $1, $1, 't', 'r', 'webhook', 'x', 'Task/t', $3, 1,"
            " now() - interval '500 days', now() - $4::interval)",
            id_ := uuid7(),
            communication,
            status,
            None if days is None else timedelta(days=days),
        )
        await engine.pool.execute(
            "INSERT INTO delivery_attempt (delivery, attempt, started_at) VALUES ($1, 1, now())", id_
        )


async def test_deliveries_that_arrived_go_after_a_year_with_their_log(engine: Engine) -> None:
    await put_down(engine, "long-ago", ("delivered", 366), ("delivered", 400))
    await put_down(engine, "lately", ("delivered", 364))
    await put_down(engine, "failed", ("failed", 450))
    await put_down(engine, "half", ("delivered", 400), ("failed", 399))
    await put_down(engine, "waiting", ("delivered", 400), ("pending", None), ("sending", None))
    assert await swept(engine, "delivery") == 2
    left = {row["communication"] for row in await deliveries(engine.pool)}
    assert left == {"lately", "failed", "half", "waiting"}
    assert await engine.pool.fetchval("SELECT count(*) FROM delivery_attempt") == 7


async def test_the_stream_goes_on_from_where_a_client_was(engine: Engine, client: httpx.AsyncClient) -> None:
    await hears(engine, referral(id="e1", task="Task/t1"), referral(id="e2", task="Task/t2"))
    newest = await stream.last(engine.pool)
    assert newest == 2
    old = "event_id = 'e1'"
    await engine.pool.execute(f"UPDATE stream_entry SET at = at - interval '91 days' WHERE {old}")
    told = await engine.pool.fetchval(f"SELECT count(*) FROM stream_entry WHERE {old}")
    assert await swept(engine, "stream_entry") == told
    everybody = await stream.since(engine.pool, 0, 100)
    assert {entry.event_id for entry in everybody} == {"e2"}
    assert await stream.last(engine.pool) == newest


async def test_all_entries_of_an_event_go_at_once(engine: Engine) -> None:
    """One is shown to a caller with several receivers; were it gone first, the next would look new."""
    await engine.pool.execute(
        "INSERT INTO stream_entry (receiver, event_id, at, data) SELECT 'r' || n, 'e' || n / 2,"
        " now() - interval '91 days', decode(repeat('00', 3000), 'hex') FROM generate_series(0, 999) n"
    )
    step, position, stop = named("stream_entry").step, 0, False
    while not stop:
        async with engine.pool.acquire() as connection:
            batch = await step(connection, position)
        halves = "SELECT count(*) FROM (SELECT FROM stream_entry GROUP BY event_id HAVING count(*) <> 2) halves"
        assert await engine.pool.fetchval(halves) == 0
        stop, position = batch.position is None, batch.position or 0
    assert await engine.pool.fetchval("SELECT count(*) FROM stream_entry") == 0
