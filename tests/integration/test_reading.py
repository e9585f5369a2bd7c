"""Reads that share round trips answer everybody as plain reads would."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from shared.engine import Engine
from shared.security.caller import internal
from shared.store.reading import Reader
from shared.unit_of_work import unit_of_work
from tests.factories.engine import create_tables, every_type, running_engine
from tests.factories.resources import patient


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[Engine]:
    await create_tables(database_url)
    async with running_engine(database_url, every_type()) as engine:
        yield engine


async def _put(engine: Engine, id_: str, gender: str = "female") -> None:
    async with unit_of_work(engine, internal("test")) as work:
        await work.update(patient(id=id_, gender=gender))
        await work.commit()


async def test_everyone_gets_their_own_answer(engine: Engine) -> None:
    for number in range(20):
        await _put(engine, f"p{number}")
    wanted = [f"p{number % 25}" for number in range(200)]
    answers = await asyncio.gather(*(engine.reader.read("Patient", id_) for id_ in wanted))
    found = [None if stored is None else stored.id for stored in answers]
    assert found == [id_ if int(id_[1:]) < 20 else None for id_ in wanted]


async def test_a_read_sees_what_was_committed_before_it_was_asked_for(engine: Engine) -> None:
    async def others() -> None:
        for _ in range(200):
            await asyncio.gather(*(engine.reader.read("Patient", "p") for _ in range(8)))

    reading = asyncio.create_task(others())
    for number in range(30):
        await _put(engine, "p", ("female", "male")[number % 2])
        stored = await engine.reader.read("Patient", "p")
        assert stored is not None
        assert stored.version == number + 1
    await reading


async def test_a_reader_that_gives_up_takes_nobody_along(engine: Engine) -> None:
    await _put(engine, "p")
    asked = [asyncio.create_task(engine.reader.read("Patient", "p")) for _ in range(12)]
    await asyncio.sleep(0)
    for task in asked[::2]:
        task.cancel()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(answer, asyncio.CancelledError) for answer in answers[::2])
    assert all(not isinstance(answer, BaseException) and answer is not None for answer in answers[1::2])
    assert await engine.reader.read("Patient", "p") is not None


async def test_a_failed_query_fails_those_who_asked_and_nobody_after(engine: Engine) -> None:
    await _put(engine, "p")
    reader = Reader(engine.pool, at_once=1)
    await engine.pool.execute("ALTER TABLE resource RENAME TO elsewhere")
    failed = await asyncio.gather(*(reader.read("Patient", "p") for _ in range(6)), return_exceptions=True)
    assert all(isinstance(answer, asyncpg.UndefinedTableError) for answer in failed)
    await engine.pool.execute("ALTER TABLE elsewhere RENAME TO resource")
    stored = await reader.read("Patient", "p")
    assert stored is not None
