"""A page is bounded in bytes, too: large resources come on more pages, each with something on it."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from shared.errors import Invalid
from shared.fhir.search.page import Page, find
from shared.fhir.search.parse import parse
from shared.store.database import Pool
from tests.factories.search import searchable, store

NOW = datetime(2026, 1, 2, tzinfo=UTC)
LIMIT = 10_000


def _plan(number: int, size: int) -> dict[str, Any]:
    words = "".join(chr(97 + (number * 7 + n * n) % 26) for n in range(size))
    period = {"start": f"2025-01-{28 - number % 28:02d}"}
    subject = {"reference": "Patient/p"}
    return {"resourceType": "CarePlan", "id": f"c{number}", "subject": subject, "period": period, "description": words}


async def _pages(pool: Pool, *parameters: tuple[str, str]) -> list[Page]:
    query = replace(parse("CarePlan", parameters, now=NOW), most_bytes=LIMIT)
    pages = []
    while True:
        pages.append(await find(pool, query))
        if pages[-1].next is None:
            return pages
        query = replace(query, cursor=pages[-1].next)


@pytest.mark.parametrize(
    "parameters",
    [
        [],
        [("_sort", "date")],
        [("_sort", "-_lastUpdated")],
        [("_sort", "-date,_id")],
        [("subject", "Patient/p")],
        [("status:missing", "true"), ("date", "ge2025")],
    ],
)
async def test_a_page_of_large_resources_ends_early_and_nothing_is_lost(
    database_url: str, parameters: list[tuple[str, str]]
) -> None:
    sizes = [100, 25_000, 4_000, 4_000, 4_000, 100, 11_000, 11_000, 1, 1]
    async with searchable(database_url) as pool:
        await store(pool, [_plan(number, size) for number, size in enumerate(sizes)])
        pages = await _pages(pool, *parameters, ("_count", "1000"))
        (whole,) = [await find(pool, parse("CarePlan", [*parameters, ("_count", "1000")], now=NOW))]
    assert whole.next is None
    assert [match.id for page in pages for match in page.matches] == [match.id for match in whole.matches]
    assert len(pages) > 3
    for page in pages:
        assert page.matches
        assert sum(len(match.body) for match in page.matches[:-1]) < LIMIT
    for page, following in pairwise(pages):
        assert sum(len(match.body) for match in page.matches) >= LIMIT, "no page is shorter than it must be"
        assert following.matches


async def test_a_total_counts_what_did_not_fit(database_url: str) -> None:
    async with searchable(database_url) as pool:
        await store(pool, [_plan(number, LIMIT) for number in range(4)])
        pages = await _pages(pool, ("_total", "accurate"), ("_count", "3"))
    assert [(len(page.matches), page.total) for page in pages] == [(1, 4)] * 4


async def test_includes_beyond_the_limit_are_too_costly(database_url: str) -> None:
    patients = [{"resourceType": "Patient", "id": f"p{n}", "name": [{"text": "a" * 6_000}]} for n in range(3)]
    plans = [_plan(n, 1) | {"subject": {"reference": f"Patient/p{n}"}} for n in range(3)]
    async with searchable(database_url) as pool:
        await store(pool, [*patients, *plans])
        (page, *_) = await _pages(pool, ("_include", "CarePlan:subject"), ("_count", "2"))
        assert len(page.included) == 2
        with pytest.raises(Invalid) as refused:
            await _pages(pool, ("_include", "CarePlan:subject"))
    assert refused.value.issues[0].code == "too-costly"
