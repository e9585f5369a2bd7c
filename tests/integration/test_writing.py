"""Writes that share round trips end for everybody as writes of their own would."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from shared.engine import Engine
from shared.errors import Unprocessable
from shared.security.caller import internal
from shared.store import resources
from shared.store.indexing import IndexEntries
from shared.store.resources import Stored
from shared.store.write import OutboxRow, Outcome, Write
from shared.store.writing import Unit, Writer
from shared.unit_of_work import unit_of_work
from tests.factories.engine import create_tables, every_type, running_engine
from tests.factories.resources import care_plan, patient

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[Engine]:
    await create_tables(database_url)
    async with running_engine(database_url, every_type()) as engine:
        yield engine


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many resources each statement carried."""
    sizes: list[int] = []
    write = resources.write

    async def counted(pool: Any, writes: Any, events: Any, references: Any, *, wait: bool) -> Outcome:
        sizes.append(len(writes))
        return await write(pool, writes, events, references, wait=wait)

    monkeypatch.setattr(resources, "write", counted)
    return sizes


def _unit(name: str, *, size: int = 10, patient: str = "p", refers: tuple[str, str] | None = None) -> Unit:
    write = Write("Basic", name, 1, NOW, "POST", b"x" * size, index=IndexEntries(patient))
    event = OutboxRow(f"event-{name}", "test.made", f"Basic/{name}", b"{}", NOW)
    return Unit([write], [event], [refers] if refers else [])


async def _stored(engine: Engine) -> tuple[list[str], list[str], list[str]]:
    """The ids in the store, in the history and in the outbox."""
    queries = (
        "SELECT id FROM resource WHERE type = 'Basic' ORDER BY id",
        "SELECT id FROM resource_history WHERE type = 'Basic' ORDER BY id",
        "SELECT substr(event_id, 7) AS id FROM outbox ORDER BY event_id",
    )
    resource, history, outbox = [[row["id"] for row in await engine.pool.fetch(query)] for query in queries]
    return resource, history, outbox


async def _create(engine: Engine, resource: dict[str, Any]) -> Stored:
    async with unit_of_work(engine, internal("test")) as work:
        stored = await work.create(resource)
        await work.commit()
    return stored


async def test_all_are_written_in_fewer_statements(engine: Engine, statements: list[int]) -> None:
    names = [f"n{number:03}" for number in range(100)]
    outcomes = await asyncio.gather(*(engine.writer.write(_unit(name)) for name in names))
    assert all(outcome.written == 1 for outcome in outcomes)
    assert await _stored(engine) == (names, names, names)
    assert sum(statements) == 100
    assert len(statements) < 10


async def test_everyone_keeps_their_own_time(engine: Engine) -> None:
    made = await asyncio.gather(*(_create(engine, patient()) for _ in range(40)))
    rows = await engine.pool.fetch("SELECT id, last_updated FROM resource")
    assert {row["id"]: row["last_updated"] for row in rows} == {stored.id: stored.last_updated for stored in made}
    assert len({stored.last_updated for stored in made}) > 1


async def test_only_who_refers_to_what_is_missing_is_refused(engine: Engine) -> None:
    known = await _create(engine, patient())
    plans = [care_plan(f"Patient/{known.id if number % 3 else 'nobody'}") for number in range(30)]
    answers = await asyncio.gather(*(_create(engine, plan) for plan in plans), return_exceptions=True)
    refused = [number for number, answer in enumerate(answers) if isinstance(answer, Unprocessable)]
    assert refused == list(range(0, 30, 3))
    assert not [answer for number, answer in enumerate(answers) if number % 3 and isinstance(answer, BaseException)]
    assert await engine.pool.fetchval("SELECT count(*) FROM resource WHERE type = 'CarePlan'") == 20


async def test_what_the_database_refuses_harms_no_neighbour(engine: Engine) -> None:
    units = [_unit(f"n{number:02}", patient="\x00" if number == 7 else "p") for number in range(20)]
    answers = await asyncio.gather(*(engine.writer.write(unit) for unit in units), return_exceptions=True)
    assert [number for number, answer in enumerate(answers) if isinstance(answer, BaseException)] == [7]
    written = [f"n{number:02}" for number in range(20) if number != 7]
    assert await _stored(engine) == (written, written, written)


async def test_a_caller_that_gives_up_takes_nobody_along(engine: Engine) -> None:
    names = [f"n{number:02}" for number in range(20)]
    tasks = [asyncio.create_task(engine.writer.write(_unit(name))) for name in names]
    await asyncio.sleep(0)
    for task in tasks[4::2]:
        task.cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(answer, Outcome) for answer in (*answers[:4], *answers[5::2]))
    assert all(isinstance(answer, asyncio.CancelledError) for answer in answers[4::2])
    assert (await engine.writer.write(_unit("z"))).written == 1


async def test_a_lost_database_is_told_to_all_and_nothing_is_tried_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []

    async def lost(pool: Any, writes: Any, events: Any, references: Any, *, wait: bool) -> Outcome:
        tried.append(len(writes))
        await asyncio.sleep(0)
        raise asyncpg.ConnectionDoesNotExistError("gone")

    monkeypatch.setattr(resources, "write", lost)
    units = [_unit(f"n{number}") for number in range(10)]
    answers = await asyncio.gather(*(engine.writer.write(unit) for unit in units), return_exceptions=True)
    assert all(isinstance(answer, asyncpg.ConnectionDoesNotExistError) for answer in answers)
    assert sum(tried) == 10


@pytest.mark.parametrize(("limits", "groups"), [({"most": 3}, [1, 3, 3, 3]), ({"largest": 25}, [1, 2, 2, 2, 2, 1])])
async def test_a_statement_has_limits(
    engine: Engine, statements: list[int], limits: dict[str, int], groups: list[int]
) -> None:
    writer = Writer(engine.pool, at_once=1, **limits)
    await asyncio.gather(*(writer.write(_unit(f"n{number}")) for number in range(10)))
    assert statements == groups


async def test_what_is_too_large_for_any_statement_takes_nobodys_place(engine: Engine, statements: list[int]) -> None:
    writer = Writer(engine.pool, at_once=1, largest=25)
    units = [_unit(f"n{number}", size=100 if number in (0, 5) else 5) for number in range(8)]
    await asyncio.gather(*(writer.write(unit) for unit in units))
    assert statements == [1, 1, 1, 5]


async def test_who_waits_for_a_deletion_holds_up_nobody_else(engine: Engine) -> None:
    going = await _create(engine, patient())
    async with engine.pool.acquire() as other, other.transaction():
        await other.execute("SELECT FROM resource WHERE id = $1 FOR UPDATE", going.id)
        referring = [asyncio.create_task(_create(engine, care_plan(f"Patient/{going.id}"))) for _ in range(4)]
        async with asyncio.timeout(5):
            await asyncio.gather(*(_create(engine, patient()) for _ in range(20)))
        assert not any(task.done() for task in referring)
    assert {stored.type for stored in await asyncio.gather(*referring)} == {"CarePlan"}


async def test_who_waited_for_a_deletion_that_happened_is_refused(engine: Engine) -> None:
    going = await _create(engine, patient())
    async with unit_of_work(engine, internal("test")) as deleting:
        await deleting.delete("Patient", going.id)
        referring = asyncio.create_task(_create(engine, care_plan(f"Patient/{going.id}")))
        await _create(engine, patient())
        await deleting.commit()
    with pytest.raises(Unprocessable):
        await referring
