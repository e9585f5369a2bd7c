"""Pages stay whole while others write: no row comes twice, none is left out."""

import asyncio
import random
from datetime import UTC, datetime, timedelta

import pytest

from shared.errors import Invalid
from shared.fhir.json import Resource
from tests.factories.search import ids, pages, searchable, store


def _plan(number: int, status: str = "active") -> Resource:
    subject = {"reference": f"Patient/p{number % 3}"}
    period = {"start": f"2025-01-{1 + number % 28:02d}"}
    return {"resourceType": "CarePlan", "id": f"plan-{number}", "status": status, "subject": subject, "period": period}


@pytest.mark.parametrize("criteria", ["", "status=active,completed&", "patient=p0,p1,p2&", "date=ge2025&"])
@pytest.mark.parametrize("sort", ["", "_sort=_lastUpdated&", "_sort=-_lastUpdated&", "_sort=-date&", "_sort=_id&"])
async def test_no_row_repeats_or_is_dropped_while_others_write(database_url: str, sort: str, criteria: str) -> None:
    rng = random.Random(3)
    now = datetime.now(UTC)
    async with searchable(database_url) as pool:
        await store(pool, [_plan(number) for number in range(40)], at=now - timedelta(hours=1))
        versions = dict.fromkeys(range(40), 1)
        met: list[str] = []
        created = 100
        async for page in pages(pool, f"CarePlan?{criteria}{sort}_count=6"):
            met += page
            for number in rng.sample(range(40), 8):
                versions[number] += 1
                await store(pool, [_plan(number, "completed")], version=versions[number], at=datetime.now(UTC))
            created += 1
            await store(pool, [_plan(created)], at=datetime.now(UTC))
        assert len(met) == len(set(met))
        assert {f"plan-{number}" for number in range(40)} <= set(met)


async def test_a_write_in_flight_at_the_first_page_neither_repeats_nor_drops_its_row(database_url: str) -> None:
    async with searchable(database_url) as pool:
        await store(pool, [_plan(number) for number in range(9)], at=datetime.now(UTC) - timedelta(hours=1))
        reader = pages(pool, "CarePlan?_sort=-_lastUpdated&_count=3")
        async with pool.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            at = datetime.now(UTC)
            await store(connection, [_plan(0, "completed")], version=2, at=at)  # type: ignore[arg-type]
            met = await anext(reader)
            await transaction.commit()
        async for page in reader:
            met += page
        assert sorted(met) == [f"plan-{number}" for number in range(9)]


async def test_readers_and_writers_at_once(database_url: str) -> None:
    async with searchable(database_url) as pool:
        await store(pool, [_plan(number) for number in range(60)], at=datetime.now(UTC) - timedelta(hours=1))
        done = asyncio.Event()

        async def write() -> None:
            version = 1
            while not done.is_set():
                version += 1
                for number in range(0, 60, 7):
                    await store(pool, [_plan(number)], version=version, at=datetime.now(UTC))

        async def read(sort: str) -> None:
            for _ in range(3):
                met = [id_ async for page in pages(pool, f"CarePlan?_sort={sort}&_count=5") for id_ in page]
                assert len(met) == len(set(met)) == 60

        writer = asyncio.create_task(write())
        try:
            await asyncio.gather(read("-_lastUpdated"), read("_lastUpdated"), read("date"))
        finally:
            done.set()
            await writer


@pytest.mark.parametrize("token", ["", "x", "W10", "bnVsbA", "W1tdLFtdLC0xLG51bGxd", "W1tdLFtdLDEsWyJ4IiwxXV0", "é"])
async def test_a_page_token_that_we_did_not_make_is_invalid(database_url: str, token: str) -> None:
    async with searchable(database_url) as pool:
        with pytest.raises(Invalid):
            await ids(pool, f"CarePlan?_cursor={token}")


async def test_count_zero_gives_the_total_alone(database_url: str) -> None:
    async with searchable(database_url) as pool:
        await store(pool, [_plan(number) for number in range(5)])
        assert await ids(pool, "CarePlan?_count=0") == []
        assert len(await ids(pool, "CarePlan?_count=999999")) == 5
