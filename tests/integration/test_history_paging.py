"""Histories while others write: nothing is lost or repeated across pages, and what commits late can be had."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.clock import Clock, system_clock
from shared.fhir.history import Asked, Page, find, versions
from shared.fhir.history.cursor import Cursor, decode, encode
from shared.fhir.json import Resource
from shared.fhir.search.access import Access, condition
from shared.fhir.search.filters import Patients
from shared.store.condition import Condition
from shared.store.database import Pool
from tests.factories.search import searchable, store

HOUR_AGO = timedelta(hours=1)


def _plan(number: int, patient: int = 0, status: str = "active") -> Resource:
    subject = {"reference": f"Patient/p{patient}"}
    return {"resourceType": "CarePlan", "id": f"plan-{number}", "status": status, "subject": subject}


async def pages(
    pool: Pool, scope: Sequence[str], asked: Asked, *, access: Condition | None = None, clock: Clock = system_clock
) -> AsyncIterator[Page]:
    """Every page; the cursors go through their tokens, as over HTTP."""
    cursor: Cursor | None = None
    while True:
        page = await find(pool, scope, replace(asked, cursor=cursor), access, clock)
        yield page
        if page.next is None:
            return
        cursor = decode(encode(page.next), one=len(scope) == 2)


def named(page: Page) -> list[str]:
    return [f"{past.stored.id}/{past.stored.version}" for past in page.versions]


@pytest.mark.parametrize("scope", [("CarePlan",), ()])
async def test_pages_show_what_was_there_at_the_first_one_each_once(database_url: str, scope: tuple[str, ...]) -> None:
    async with searchable(database_url) as pool:
        await store(pool, [_plan(number) for number in range(20)], at=datetime.now(UTC) - HOUR_AGO)
        met: list[str] = []
        async for page in pages(pool, scope, Asked(count=3)):
            met += named(page)
            fresh = len(met) + 100
            await store(pool, [_plan(fresh), _plan(fresh + 1)], at=datetime.now(UTC))
        assert met == [f"plan-{number}/1" for number in reversed(range(20))]


@pytest.mark.parametrize("scope", [("CarePlan",), ()])
async def test_versions_of_one_moment_are_all_shown_once(database_url: str, scope: tuple[str, ...]) -> None:
    async with searchable(database_url) as pool:
        for number in range(10):
            await store(pool, [_plan(number)], at=datetime.now(UTC).replace(microsecond=0, second=0) - HOUR_AGO)
        met = [name async for page in pages(pool, scope, Asked(count=3)) for name in named(page)]
        assert sorted(met) == sorted(f"plan-{number}/1" for number in range(10))


@pytest.mark.parametrize("scope", [("CarePlan",), ()])
async def test_what_commits_between_two_pages_is_left_out_and_comes_with_what_is_asked_next(
    database_url: str, scope: tuple[str, ...]
) -> None:
    """It is dated before what was shown already: who asks from the newest date seen on would never meet it."""
    async with searchable(database_url) as pool:
        now = datetime.now(UTC)
        await store(pool, [_plan(number) for number in range(6)], at=now - timedelta(seconds=20))
        reader = pages(pool, scope, Asked(count=2))
        async with pool.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            await store(connection, [_plan(9)], at=now - timedelta(seconds=18, milliseconds=500))  # type: ignore[arg-type]
            first = await anext(reader)
            await transaction.commit()
        rest = [name async for page in reader for name in named(page)]
        assert named(first) + rest == [f"plan-{number}/1" for number in reversed(range(6))]
        newest = first.versions[0].stored.last_updated
        assert named(await find(pool, scope, Asked(since=newest), None, system_clock)) == ["plan-5/1"]
        later = await find(pool, scope, Asked(since=first.settled), None, system_clock)
        assert "plan-9/1" in named(later)


@pytest.mark.parametrize("scope", [("CarePlan",), ()])
async def test_a_moment_long_ago_is_found_behind_many_versions_that_had_been_replaced(
    database_url: str, scope: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "WALKED", 7)
    monkeypatch.setattr(versions, "MOST_WALKS", 2)
    versions._statement.cache_clear()
    versions._end_statement.cache_clear()
    try:
        async with searchable(database_url) as pool:
            start = datetime(2025, 1, 1, tzinfo=UTC)
            await store(pool, [_plan(1), _plan(2), _plan(3)], at=start)
            for version in range(2, 52):
                await store(pool, [_plan(1)], version=version, at=start + timedelta(days=version))
            at = (datetime(2025, 6, 1, tzinfo=UTC), datetime(2025, 6, 2, tzinfo=UTC))
            found = [page async for page in pages(pool, scope, Asked(count=2, at=at))]
            assert [name for page in found for name in named(page)] == ["plan-1/51", "plan-3/1", "plan-2/1"]
            assert len(found) > 2, "no page may look at more than so many versions"
    finally:
        versions._statement.cache_clear()
        versions._end_statement.cache_clear()


@pytest.mark.parametrize("scope", [("CarePlan", "plan-1"), ("CarePlan",), ()])
async def test_the_callers_filter_holds_at_every_level(database_url: str, scope: tuple[str, ...]) -> None:
    async with searchable(database_url) as pool:
        await store(pool, [_plan(number, patient=number % 2) for number in range(8)])
        await store(pool, [_plan(1, patient=1, status="completed")], version=2)

        async def seen(patient: str) -> set[str]:
            seen = condition(Access(lambda type_: Patients((patient,))), ["CarePlan"])
            return {name async for page in pages(pool, scope, Asked(count=2), access=seen) for name in named(page)}

        if len(scope) == 2:
            assert await seen("p1") == {"plan-1/1", "plan-1/2"}
            assert await seen("p0") == set()
        else:
            assert await seen("p1") == {"plan-1/1", "plan-1/2", "plan-3/1", "plan-5/1", "plan-7/1"}
            assert await seen("p0") == {"plan-0/1", "plan-2/1", "plan-4/1", "plan-6/1"}
