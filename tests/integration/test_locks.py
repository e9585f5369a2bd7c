"""Whoever changes a resource keeps nobody from referring to it; whoever deletes it does."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.engine import Engine
from shared.errors import Conflict, Unprocessable
from shared.security.caller import internal
from shared.unit_of_work import unit_of_work
from tests.factories.engine import create_tables, every_type, running_engine
from tests.factories.resources import care_plan, patient

ME = internal("test")


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[Engine]:
    await create_tables(database_url)
    async with running_engine(database_url, every_type()) as engine:
        for id_ in ("a", "b"):
            await _put(engine, id_)
        yield engine


async def _put(engine: Engine, id_: str, refers_to: str | None = None) -> None:
    resource = patient(id=id_)
    if refers_to is not None:
        resource["link"] = [{"other": {"reference": f"Patient/{refers_to}"}, "type": "seealso"}]
    async with unit_of_work(engine, ME) as work:
        await work.update(resource)
        await work.commit()


async def _plan_for(engine: Engine, id_: str) -> None:
    async with unit_of_work(engine, ME) as work:
        await work.create(care_plan(f"Patient/{id_}"))
        await work.commit()


async def test_updates_that_refer_to_each_other_crosswise_all_succeed(engine: Engine) -> None:
    for _ in range(20):
        await asyncio.gather(*(_put(engine, *pair) for pair in (("a", "b"), ("b", "a")) * 4))


async def test_a_reference_to_what_is_being_changed_does_not_wait(engine: Engine) -> None:
    async with unit_of_work(engine, ME) as changing:
        await changing.load("Patient", "a")
        async with asyncio.timeout(5):
            await _plan_for(engine, "a")


async def test_a_transaction_keeps_nobody_from_referring_to_what_it_only_changes(engine: Engine) -> None:
    async with unit_of_work(engine, ME) as changing:
        await changing.lock_all([("Patient", "a"), ("Patient", "b")])
        await changing.lock_all([("Patient", "b")], to_delete=True)
        async with asyncio.timeout(5):
            await _plan_for(engine, "a")


async def test_a_reference_to_what_is_being_deleted_waits_and_is_refused(engine: Engine) -> None:
    async with unit_of_work(engine, ME) as deleting:
        await deleting.load("Patient", "a")
        await deleting.delete("Patient", "a")
        referring = asyncio.create_task(_plan_for(engine, "a"))
        done, _ = await asyncio.wait((referring,), timeout=0.2)
        assert not done
        await deleting.commit()
    with pytest.raises(Unprocessable):
        await referring


async def test_of_a_deletion_and_a_reference_at_once_one_is_refused(engine: Engine) -> None:
    for _ in range(20):
        await _put(engine, "a")

        async def delete() -> None:
            async with unit_of_work(engine, ME) as work:
                await work.delete("Patient", "a")
                await work.commit()

        deleted, referred = await asyncio.gather(delete(), _plan_for(engine, "a"), return_exceptions=True)
        assert (deleted is None) != (referred is None)
        assert isinstance(deleted or referred, (Conflict, Unprocessable))
        await engine.pool.execute("DELETE FROM resource WHERE type = 'CarePlan'; DELETE FROM index_term")
