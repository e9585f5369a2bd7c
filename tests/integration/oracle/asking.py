"""A database for many random worlds, and the comparison of what searches find in it with what a plain filter finds.

``CONSILIUM_ORACLE=500`` tries that many worlds that no run before has seen, instead of a few that are always the same.
"""

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from shared.fhir.json import dumps
from shared.fhir.search import Page, search, statement
from shared.fhir.search.access import EVERYTHING, Access
from shared.fhir.search.cursor import encode
from shared.fhir.search.extract import extract
from shared.fhir.search.parse import parse
from shared.store import resources
from shared.store.database import Pool
from shared.store.write import Write
from tests.factories.search import START, searchable
from tests.integration.oracle.criteria import BASE, Asked
from tests.integration.oracle.worlds import World

NOW = datetime(2026, 6, 1, tzinfo=UTC)
BRANCHES = {"short": (1_000, 20), "walk": (1, 0), "intersect": (1, 10_000)}
"""Ways in which the engine runs a search, by the bounds that choose them (docs/adr/0003-search-layout.md)."""

_HUNT = int(os.environ.get("CONSILIUM_ORACLE", "0"))


def examples(count: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a test of drawn data ``count`` times, the same data each time."""
    return settings(
        max_examples=_HUNT or count,
        derandomize=not _HUNT,
        phases=[Phase.generate],
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


class Database:
    """The engine's tables, filled and emptied for each world."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def fill(self, world: World) -> dict[str, datetime]:
        """Store ``world`` alone, one resource a second; when each was stored."""
        await self.pool.execute(
            "TRUNCATE resource, resource_history, index_term, index_string, index_date, index_quantity"
        )
        at = {key: START + timedelta(seconds=number * 17) for number, key in enumerate(world)}
        writes = [
            Write(r["resourceType"], r["id"], 1, at[key], "PUT", dumps(r), index=extract(r)) for key, r in world.items()
        ]
        if writes:
            assert (await resources.write(self.pool, writes, (), ())).written == len(writes)
        return at

    async def page(self, type_: str, query: Sequence[tuple[str, str]], access: Access = EVERYTHING) -> Page:
        """The answer to one request."""
        return await search(self.pool, type_, query, base=BASE, strict=True, access=access, clock=lambda: NOW)

    async def pages(
        self, type_: str, query: Sequence[tuple[str, str]], access: Access = EVERYTHING, *, count: int = 2
    ) -> tuple[list[str], set[str]]:
        """The ids of the matches on all pages in order, and ``Type/id`` of all that was included."""
        matches: list[str] = []
        included: set[str] = set()
        asked = [*query, ("_count", str(count))]
        following: list[tuple[str, str]] = []
        bound = [pair for pair in query if pair[0] in ("_sort", "patient", "_id")]
        order = parse(type_, bound, base=BASE, now=NOW).sort
        while True:
            page = await self.page(type_, [*asked, *following], access)
            assert len(page.matches) <= count
            matches += [match.id for match in page.matches]
            included |= {f"{each.type}/{each.id}" for each in page.included}
            if page.next is None:
                return matches, included
            assert page.matches, "a page is empty, and there is a next one"
            following = [("_cursor", encode(order, page.next))]

    async def compare(self, world: World, type_: str, asked: Sequence[Asked], access: Access = EVERYTHING) -> list[str]:
        """Whether all pages together, the total and the plain filter agree; the ids that they find."""
        query = [(each.name, each.value) for each in asked]
        expected = [
            r["id"] for r in world.values() if r["resourceType"] == type_ and all(each.finds(r) for each in asked)
        ]
        found, _ = await self.pages(type_, query, access)
        wrong = [world[f"{type_}/{id_}"] for id_ in {*found} ^ {*expected}]
        assert found == expected, (type_, query, found, expected, wrong)
        counted = await self.page(type_, [*query, ("_summary", "count")], access)
        assert counted.total == len(expected), (type_, query)
        return expected


@contextmanager
def database(url: str, branch: str) -> Iterator[Callable[[Callable[[Database], Coroutine[Any, Any, None]]], None]]:
    """A function that runs what is to be done with a ``Database``, where searches go the way of ``branch``."""
    usual = statement.BOUND, statement.ENOUGH
    statement.BOUND, statement.ENOUGH = BRANCHES[branch]
    statement._page.cache_clear()
    with asyncio.Runner() as runner:
        opened = searchable(url)
        made = Database(runner.run(opened.__aenter__()))
        try:
            yield lambda task: runner.run(task(made))
        finally:
            runner.run(opened.__aexit__(None, None, None))
            statement.BOUND, statement.ENOUGH = usual
            statement._page.cache_clear()


def try_examples(
    url: str, branch: str, count: int, check: Callable[[Database, Any], Coroutine[Any, Any, None]]
) -> None:
    """Run ``check`` with a database and hypothesis' drawn data, ``count`` times."""
    with database(url, branch) as run:

        @examples(count)
        @given(st.data())
        def each(data: Any) -> None:
            run(lambda made: check(made, data))

        each()
