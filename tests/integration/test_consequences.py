"""What follows from a write is stored with it: changed where it is there, made where it may be, or all is refused."""

from collections.abc import AsyncIterator

import pytest

from shared.engine import Engine
from shared.errors import Conflict
from shared.fhir.json import Resource, loads
from shared.fhir.kinds import Consequence, Decision, DecisionContext, ResourceKind
from shared.security.caller import Caller, Role, internal
from shared.unit_of_work import unit_of_work
from tests.factories.engine import create_tables, every_type, running_engine

ME = Caller("me", Role.PATIENT)


def basic(text: str, **more: object) -> Resource:
    return {"resourceType": "Basic", "code": {"text": text}} | more


def noted(list_: Resource | None, text: str) -> Resource | None:
    """The list that follows a Basic: it has the title of the newest, and stays where it has it already."""
    if text == "nothing":
        return None
    known = list_ or {"resourceType": "List", "status": "current", "mode": "working"}
    return None if known.get("title") == text else known | {"title": text}


def decide(before: Resource | None, after: Resource | None, context: DecisionContext) -> Decision:
    """A Basic leads to a List under an id made from its own; one that is deleted takes the title off."""
    text = "gone" if after is None else after["code"]["text"]
    absent = None if after is None else noted(None, text)
    return Decision(after, (), (Consequence(f"List/of-{context.id}", lambda found: noted(found, text), absent),))


def decide_list(before: Resource | None, after: Resource | None, context: DecisionContext) -> Decision:
    assert context.caller == internal("everything"), "the service decides, not who caused it"
    if after is not None and after.get("title") == "refused":
        raise Conflict("No.")
    return Decision(after)


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[Engine]:
    await create_tables(database_url)
    service = every_type(ResourceKind("Basic", decide), ResourceKind("List", decide_list))
    async with running_engine(database_url, service) as engine:
        yield engine


async def put(engine: Engine, *texts: str, id: str = "b") -> None:
    """One unit of work with a version for each text."""
    async with unit_of_work(engine, ME) as work:
        for text in texts:
            await work.update(basic(text, id=id))
        await work.commit()


async def followed(engine: Engine, id: str = "b") -> tuple[int, str] | None:
    """Version and title of the List."""
    async with unit_of_work(engine, ME) as work:
        stored = await work.load("List", f"of-{id}")
        return None if stored is None else (stored.version, loads(stored.body)["title"])


async def test_it_is_made_and_changed_with_what_it_follows_from(engine: Engine) -> None:
    await put(engine, "one")
    assert await followed(engine) == (1, "one")
    await put(engine, "two")
    assert await followed(engine) == (2, "two")
    await put(engine, "two")
    assert await followed(engine) == (2, "two"), "what may stay is not written"


async def test_what_is_new_under_an_id_of_ours_has_it_at_once(engine: Engine) -> None:
    async with unit_of_work(engine, ME) as work:
        stored = await work.create(basic("one"))
        await work.commit()
    assert await followed(engine, stored.id) == (1, "one")


async def test_where_nothing_is_to_be_made_there_is_nothing(engine: Engine) -> None:
    await put(engine, "nothing")
    assert await followed(engine) is None
    await put(engine, "one")
    assert await followed(engine) == (1, "one")


async def test_several_versions_in_one_unit_of_work_lead_to_several(engine: Engine) -> None:
    await put(engine, "one", "two", "three")
    assert await followed(engine) == (3, "three")


async def test_a_deletion_has_consequences_too(engine: Engine) -> None:
    await put(engine, "one")
    async with unit_of_work(engine, ME) as work:
        await work.delete("Basic", "b")
        await work.commit()
    assert await followed(engine) == (2, "gone")


async def test_what_was_deleted_is_made_again_as_the_next_version(engine: Engine) -> None:
    await put(engine, "one")
    async with unit_of_work(engine, internal("everything")) as work:
        await work.delete("List", "of-b")
        await work.commit()
    await put(engine, "one")
    assert await followed(engine) == (3, "one")


async def test_nothing_is_stored_where_a_consequence_is_refused(engine: Engine) -> None:
    with pytest.raises(Conflict):
        await put(engine, "refused")
    async with unit_of_work(engine, ME) as work:
        assert await work.load("Basic", "b") is None
