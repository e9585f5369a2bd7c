"""Jobs of bulk data among several workers: killed ones, cancelled and expired jobs, and how much memory one takes."""

import asyncio
import tracemalloc
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.careplans.main import SERVICE
from shared import bulk
from shared.engine import Engine
from shared.fhir.bulk import exporting, selecting
from shared.service import Service
from shared.store.sweeping import sweep
from tests.eventually import eventually
from tests.factories.bulk import exported, fetched, kicked_off, worked

LEASE = timedelta(milliseconds=200)


@pytest.fixture
def service() -> Service:
    """One that owns patients."""
    return SERVICE


async def many(engine: Engine, count: int, *, size: int = 100, type_: str = "Patient") -> None:
    """``count`` small resources, put where they are stored."""
    await engine.pool.execute(
        """
        WITH made AS (
            SELECT $3 || '-' || n AS id, '2026-01-01T00:00:00Z'::timestamptz AS at,
                convert_to('{"resourceType":"' || $3 || '","id":"' || $3 || '-' || n || '","language":"'
                    || repeat('x', $2) || '"}', 'UTF8') AS body
            FROM generate_series(1, $1) n),
        history AS (
            INSERT INTO resource_history (type, id, version, last_updated, method, body)
            SELECT $3, id, 1, at, 'PUT', body FROM made)
        INSERT INTO resource
            (type, id, self, version, last_updated, deleted, patient, terms, link_params, link_targets, body)
        SELECT $3, id, hashtextextended($3 || '/' || id, 0), 1, at, false, id, '{}', '{}', '{}', body FROM made
        """,
        count,
        size,
        type_,
    )


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Parts of ten rows, files of a hundred lines; the last row of each part that was read."""
    monkeypatch.setattr(selecting, "PAGE", 10)
    monkeypatch.setattr(exporting, "FILE_LINES", 100)
    read: list[int] = []
    reading = selecting.page

    async def noted(*arguments: Any) -> selecting.Page:
        page = await reading(*arguments)
        read.append(page.rid)
        return page

    monkeypatch.setattr(selecting, "page", noted)
    return read


async def test_a_killed_workers_job_goes_on_at_the_last_finished_part(
    client: httpx.AsyncClient, engine: Engine, small: list[int]
) -> None:
    await many(engine, 500)
    status = await kicked_off(client, params={"_type": "Patient"})
    doomed = asyncio.create_task(bulk.turn(engine, asyncio.Event(), lease=LEASE))

    async def begun() -> bool:
        return len(small) > 5

    await eventually(begun, every=0.001)
    doomed.cancel()
    await asyncio.wait([doomed])
    before = len(small)
    assert await engine.pool.fetchval("SELECT status FROM bulk_job") == "running"
    assert before < 50, "it was done before it could be killed"

    async def taken_up() -> bool:
        return await bulk.turn(engine, asyncio.Event())

    await eventually(taken_up)
    found = await fetched(client, status)
    assert found.names == sorted(f"Patient/Patient-{n}" for n in range(1, 501))
    assert [file["count"] for file in found.manifest["output"]] == [100] * 5
    assert len(small) <= 51, "what was committed was not read again"


async def test_a_lease_that_stands_keeps_others_away(client: httpx.AsyncClient, engine: Engine) -> None:
    await kicked_off(client)
    await engine.pool.execute("UPDATE bulk_job SET holder = 'w', lease_until = clock_timestamp() + interval '1 minute'")
    assert not await bulk.turn(engine, asyncio.Event())


async def test_a_worker_that_lost_its_lease_undoes_its_part(
    client: httpx.AsyncClient, engine: Engine, small: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    await many(engine, 50)
    await kicked_off(client, params={"_type": "Patient"})
    reading = selecting.page

    async def robbed(*arguments: Any) -> selecting.Page:
        if len(small) == 2:
            await engine.pool.execute("UPDATE bulk_job SET holder = 'another'")
        return await reading(*arguments)

    monkeypatch.setattr(selecting, "page", robbed)
    await bulk.turn(engine, asyncio.Event())
    assert await engine.pool.fetchval("SELECT count FROM bulk_file") == 20
    assert await engine.pool.fetchval("SELECT status FROM bulk_job") == "running"


async def test_cancelling_ends_a_job_that_is_being_worked_at(
    client: httpx.AsyncClient, engine: Engine, small: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    await many(engine, 500)
    status = await kicked_off(client, params={"_type": "Patient"})
    reading = selecting.page

    async def cancelling(*arguments: Any) -> selecting.Page:
        if len(small) == 3:
            assert (await client.delete(status)).status_code == 202
        return await reading(*arguments)

    monkeypatch.setattr(selecting, "page", cancelling)
    await worked(engine)
    assert len(small) == 4
    assert await engine.pool.fetchval("SELECT count(*) FROM bulk_chunk") == 0
    assert (await client.get(status)).status_code == 404


async def test_several_workers_work_at_several_jobs(client: httpx.AsyncClient, engine: Engine) -> None:
    await many(engine, 300)
    jobs = [await kicked_off(client, params={"_type": "Patient"}) for _ in range(4)]
    stop = asyncio.Event()
    workers = [asyncio.create_task(bulk.work(engine, stop, look=0.01)) for _ in range(3)]

    async def done() -> bool:
        return all([(await client.get(job)).status_code == 200 for job in jobs])

    await eventually(done)
    stop.set()
    await asyncio.gather(*workers)
    for job in jobs:
        assert len((await fetched(client, job)).lines) == 300


async def test_a_worker_that_is_told_to_stop_leaves_the_job_to_others_at_once(
    client: httpx.AsyncClient, engine: Engine, small: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    await many(engine, 100)
    status = await kicked_off(client, params={"_type": "Patient"})
    stop, reading = asyncio.Event(), selecting.page

    async def stopping(*arguments: Any) -> selecting.Page:
        stop.set()
        return await reading(*arguments)

    monkeypatch.setattr(selecting, "page", stopping)
    await bulk.turn(engine, stop)
    assert len(small) == 1
    await worked(engine)
    assert len((await fetched(client, status)).lines) == 100


async def test_a_long_job_makes_room_for_others(client: httpx.AsyncClient, engine: Engine, small: list[int]) -> None:
    """A turn ends; then it is behind those that wait."""
    await many(engine, 50)
    await kicked_off(client, params={"_type": "Patient"})
    short = await kicked_off(client, params={"_type": "Goal"})
    job = await bulk.jobs.claim(engine.pool, "w")
    assert job is not None
    await exporting.export(engine, job, "w", asyncio.Event(), turn_s=-1)
    await bulk.turn(engine, asyncio.Event())
    assert (await client.get(short)).status_code == 200


async def test_what_has_expired_is_gone_and_swept(client: httpx.AsyncClient, engine: Engine) -> None:
    await many(engine, 300)
    found = await exported(client, engine)
    waiting = await kicked_off(client)
    since = found.manifest["transactionTime"]
    (one,) = bulk.sweeps()
    assert await sweep(engine.pool, one, "w", asyncio.Event(), share=1) == 0
    await engine.pool.execute("UPDATE bulk_job SET expires_at = clock_timestamp()")
    await engine.pool.execute("UPDATE retention_sweep SET due_at = clock_timestamp()")
    for url in (waiting, found.manifest["output"][0]["url"]):
        assert (await client.get(url)).status_code == 404
    assert await sweep(engine.pool, one, "w", asyncio.Event(), share=1) == 2
    assert await engine.pool.fetchval("SELECT count(*) FROM bulk_chunk") == 0
    assert not await bulk.turn(engine, asyncio.Event()), "nobody works at what nobody can fetch"
    # the moment is remembered
    assert (await exported(client, engine, params={"_since": since})).names == []


async def test_memory_does_not_grow_with_the_export(client: httpx.AsyncClient, engine: Engine) -> None:
    """100 MB of resources go through a few MB, in the worker and in the process that sends them."""
    await many(engine, 25_000, size=4_000)
    status = await kicked_off(client, params={"_type": "Patient"})
    tracemalloc.start()
    try:
        await worked(engine)
        _, working = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        (file,) = (await client.get(status)).json()["output"]
        sent, read = 0, exporting.job_files.texts(engine.pool, status.rsplit("/", 1)[1], 1)
        async for text in read:
            sent += len(text)
        _, sending = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert file["count"] == 25_000
    assert sent > 100_000_000
    assert working < 30_000_000
    assert sending < 15_000_000
