"""The in-app stream: in order, complete, resumable; nothing lost and nothing told twice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from itertools import count

import pytest

from services.notifications.channels import stream as channel
from services.notifications.channels.stream import Hub, feed, hub_of
from services.notifications.store import stream
from shared.engine import Engine
from shared.errors import Unavailable
from shared.ids import uuid7
from shared.store.database import Pool
from tests.eventually import eventually

ME, OTHER = "Practitioner/me", "Practitioner/other"


async def append(pool: Pool, *receivers: str, event: str | None = None) -> None:
    """One transaction that tells one event to ``receivers``."""
    name = event or uuid7()
    async with pool.acquire() as connection, connection.transaction():
        at = await connection.fetchval("SELECT now()")
        await stream.append(connection, at, [(receiver, name, b"{}") for receiver in receivers])


@asynccontextmanager
async def running(engine: Engine, poll: float = 5.0) -> AsyncIterator[Hub]:
    hub, stop = Hub(engine.pool, poll=poll), asyncio.Event()
    job = asyncio.create_task(hub.run(stop))
    try:
        yield hub
    finally:
        stop.set()
        await job


async def take(hub: Hub, count: int, after: int | None = 0, receivers: tuple[str, ...] = (ME,)) -> list[stream.Entry]:
    """The next ``count`` entries, then hang up."""
    taken: list[stream.Entry] = []
    if count == 0:
        return taken
    async with asyncio.timeout(20), aclosing(hub.follow(frozenset(receivers), after)) as entries:
        async for entry in entries:
            taken.append(entry)
            if len(taken) == count:
                break
    return taken


async def all_of(pool: Pool, receiver: str = ME) -> list[tuple[int, str]]:
    rows = await pool.fetch("SELECT seq, event_id FROM stream_entry WHERE receiver = $1 ORDER BY seq", receiver)
    return [(row[0], row[1]) for row in rows]


async def test_no_entry_commits_behind_one_that_was_readable(engine: Engine) -> None:
    """The hole: 11 is taken, 12 is taken and committed, a reader goes past 12, then 11 commits."""
    early = await engine.pool.acquire()
    transaction = early.transaction()
    await transaction.start()
    at = await early.fetchval("SELECT now()")
    await stream.append(early, at, [(ME, "early", b"{}")])
    late = asyncio.create_task(append(engine.pool, ME, event="late"))

    async def late_waits() -> bool:
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        return bool(await engine.pool.fetchval(waiting))

    await eventually(late_waits)
    assert await stream.since(engine.pool, 0, 10) == []
    await transaction.commit()
    await engine.pool.release(early)
    await late
    assert [entry.event_id for entry in await stream.since(engine.pool, 0, 10)] == ["early", "late"]


async def test_a_client_that_keeps_coming_back_loses_and_repeats_nothing_under_concurrent_inserts(
    engine: Engine,
) -> None:
    async def tell(count: int) -> None:
        for _ in range(count):
            await append(engine.pool, ME, OTHER)

    async def client(hub: Hub, bite: int) -> list[tuple[int, str]]:
        got: list[tuple[int, str]] = []
        while len(got) < 160:
            last = got[-1][0] if got else 0
            got += [(entry.seq, entry.event_id) for entry in await take(hub, min(bite, 160 - len(got)), last)]
        return got

    async with running(engine) as one, running(engine) as two:
        tellers = [asyncio.create_task(tell(20)) for _ in range(8)]
        clients = [client(hub, bite) for hub in (one, two) for bite in (1, 7, 160)]
        results = await asyncio.gather(*clients)
        await asyncio.gather(*tellers)
    everything = await all_of(engine.pool)
    assert len(everything) == 160
    assert all(result == everything for result in results)


async def test_what_one_process_writes_reaches_the_clients_of_another_at_once(engine: Engine) -> None:
    async with running(engine, poll=60) as hub:
        waiting = asyncio.create_task(take(hub, 1, None))

        async def listening() -> bool:
            return bool(await engine.pool.fetchval("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"))

        await eventually(listening)

        async def told() -> bool:
            await append(engine.pool, ME)
            return waiting.done()

        await eventually(told)
        assert len(await waiting) == 1


async def test_without_a_last_event_id_the_stream_begins_now(engine: Engine) -> None:
    await append(engine.pool, ME, event="before")
    async with running(engine, poll=0.05) as hub, aclosing(hub.follow(frozenset({ME}), None)) as entries:
        first, numbers = asyncio.create_task(anext(entries)), count()

        async def told() -> bool:
            # each another event: one that came before the stream began is not told, nor is it told later
            await append(engine.pool, ME, event=f"after {next(numbers)}")
            return first.done()

        await eventually(told)
        assert (await first).event_id.startswith("after")


async def test_a_client_hears_only_its_own_receivers(engine: Engine) -> None:
    await append(engine.pool, OTHER, event="not mine")
    await append(engine.pool, ME, event="mine")
    async with running(engine) as hub:
        assert [entry.event_id for entry in await take(hub, 1)] == ["mine"]


@pytest.mark.parametrize("catching_up", [True, False])
async def test_an_event_told_to_two_of_a_clients_receivers_is_heard_once(engine: Engine, catching_up: bool) -> None:
    async def tell() -> None:
        await append(engine.pool, ME, "role:coordinator", event="both")
        await append(engine.pool, ME, event="next")

    async with running(engine, poll=0.05) as hub:
        if catching_up:
            await tell()
            heard = await take(hub, 2, 0, (ME, "role:coordinator"))
        else:
            waiting = asyncio.create_task(take(hub, 2, 0, (ME, "role:coordinator")))
            await tell()
            heard = await waiting
        assert [entry.event_id for entry in heard] == ["both", "next"]
        again = await take(hub, 1, heard[0].seq, (ME, "role:coordinator"))
        assert [entry.event_id for entry in again] == ["next"]


async def test_a_slow_client_is_sent_back_to_the_database_and_misses_nothing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "BACKLOG", 3)
    async with running(engine, poll=0.05) as hub, aclosing(hub.follow(frozenset({ME}), 0)) as entries:
        await append(engine.pool, ME)
        heard = [(await anext(entries)).event_id]
        for _ in range(20):
            await append(engine.pool, ME)
        while len(heard) < 21:
            heard.append((await anext(entries)).event_id)
    assert heard == [event for _, event in await all_of(engine.pool)]


async def test_the_stream_goes_on_after_its_connections_were_cut(engine: Engine) -> None:
    async with running(engine, poll=0.2) as hub:
        waiting = asyncio.create_task(take(hub, 2))
        await append(engine.pool, ME)

        async def listening() -> bool:
            return bool(await engine.pool.fetchval("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"))

        await eventually(listening)
        cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
        assert await engine.pool.fetchval(cut)
        await append(engine.pool, ME)
        assert len(await waiting) == 2


async def test_streams_end_when_the_process_stops(engine: Engine) -> None:
    async with running(engine) as hub:
        listening = asyncio.create_task(take(hub, 1))
        await asyncio.sleep(0)
    assert await listening == []


async def test_the_api_process_has_one_hub_while_its_job_runs(engine: Engine) -> None:
    with pytest.raises(Unavailable):
        hub_of(engine)
    stop = asyncio.Event()
    job = asyncio.create_task(feed(engine, stop))

    async def there() -> bool:
        try:
            return hub_of(engine) is hub_of(engine)
        except Unavailable:
            return False

    await eventually(there)
    stop.set()
    await job
    with pytest.raises(Unavailable):
        hub_of(engine)
