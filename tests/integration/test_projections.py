"""A service's own tables follow in the transaction of the write, and what they make known is told in it."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace

import pytest
from pydantic import BaseModel

from shared.engine import Changed, Engine, Projection
from shared.fhir.kinds import Fact
from shared.messaging import envelope
from shared.security.caller import Caller, Role
from shared.store.database import Connection
from shared.store.resources import Stored
from shared.unit_of_work import unit_of_work
from tests.factories.engine import create_tables, every_type, running_engine
from tests.integration.careplans.test_scores_over_fhir import logged

ME = Caller("me", Role.SYSTEM)


@dataclass(frozen=True)
class SecondOfItsKind:
    """A fact that one resource alone does not show."""

    text: str


class Told(BaseModel):
    """What it becomes."""

    text: str


def outgoing(fact: Fact, stored: Stored, caller: Caller) -> Iterable[tuple[str, str, BaseModel]]:
    if isinstance(fact, SecondOfItsKind):
        yield "basic.second.v1", f"Basic/{stored.id}", Told(text=fact.text)


def concerns(changed: Changed) -> bool:
    return changed.after is not None and changed.after["code"]["text"] != "dull"


async def keep(connection: Connection, changes: Sequence[Changed], caller: Caller) -> list[tuple[Fact, Stored]]:
    """Counts by text; the second of a text is news, and "never" is refused."""
    found: list[tuple[Fact, Stored]] = []
    for changed in changes:
        assert changed.after is not None
        text = changed.after["code"]["text"]
        await connection.execute("INSERT INTO seen VALUES ($1)", text)
        if text == "never":
            raise ValueError("a table that cannot follow")
        if await connection.fetchval("SELECT count(*) FROM seen WHERE text = $1", text) == 2:
            found.append((SecondOfItsKind(text), changed.stored))
    return found


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[Engine]:
    await create_tables(database_url)
    service = replace(every_type(), outgoing=outgoing, projection=Projection(frozenset({"Basic"}), keep, concerns))
    async with running_engine(database_url, service) as engine:
        await engine.pool.execute("CREATE TABLE seen (text text NOT NULL)")
        yield engine


async def create(engine: Engine, *texts: str) -> list[str]:
    async with unit_of_work(engine, ME) as work:
        made = [await work.create({"resourceType": "Basic", "code": {"text": text}}) for text in texts]
        await work.commit()
    return [f"{stored.type}/{stored.id}" for stored in made]


async def told(engine: Engine) -> list[tuple[str, str]]:
    rows = await engine.pool.fetch("SELECT envelope FROM outbox ORDER BY seq")
    events = [envelope.decode(row["envelope"]) for row in rows]
    return [(event.subject, event.data["text"]) for event in events]


async def test_what_the_tables_make_known_is_told_with_the_write(engine: Engine) -> None:
    woken: list[bool] = []
    engine = replace(engine, wake_relay=lambda: woken.append(True))
    await create(engine, "a")
    assert (await told(engine), woken) == ([], [])
    [second] = await create(engine, "a")
    assert (await told(engine), woken) == ([(second, "a")], [True])
    first, other = await create(engine, "b", "b")
    assert await told(engine) == [(second, "a"), (other, "b")]
    assert first != other


async def test_nothing_is_stored_where_the_tables_cannot_follow(engine: Engine) -> None:
    with pytest.raises(ValueError, match="cannot follow"):
        await create(engine, "a", "a", "never")
    for table in ("seen", "resource", "outbox"):
        assert await engine.pool.fetchval(f"SELECT count(*) FROM {table}") == 0


async def test_what_does_not_concern_them_stays_one_statement(engine: Engine) -> None:
    await create(engine, "warm", "dull")
    # begin, write, the two of ``keep``, commit
    for texts, many in ((("dull",), 1), (("dull", "dull"), 1), (("a",), 5)):
        async with logged(engine) as statements:
            await create(engine, *texts)
        assert len(statements) == many, statements
    assert await engine.pool.fetchval("SELECT count(*) FROM seen") == 2
