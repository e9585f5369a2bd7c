"""How PostgreSQL reads histories of 200,000 versions: along an index, no more rows than the page has."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.fhir.history import Asked, find
from shared.fhir.history.cursor import Place
from shared.fhir.search.snapshot import Snapshot
from shared.store.database import Pool
from tests.explained import explained
from tests.factories.search import searchable

VERSIONS = 200_000
START = datetime(2026, 1, 1, tzinfo=UTC)
MIDDLE = START + timedelta(seconds=VERSIONS // 2)
# four versions of each, twenty types of which one is rare
_FILL = """
INSERT INTO resource_history (type, id, version, last_updated, method, body)
SELECT CASE WHEN n / 4 % 2000 = 7 THEN 'Rare' ELSE 'Type' || n / 4 % 19 END, 'r' || n / 4, n % 4 + 1,
    $2::timestamptz + n * interval '1 second', 'PUT', convert_to(repeat('x', 200), 'UTF8')
FROM generate_series(0, $1::int - 1) n
"""


class Explaining:
    """A pool that also keeps the plan of each statement, as it was carried out."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.plans: list[dict[str, Any]] = []

    async def fetch(self, statement: str, *arguments: Any) -> Any:
        self.plans.append((await explained(self._pool, statement, arguments))["Plan"])
        return await self._pool.fetch(statement, *arguments)

    async def fetchrow(self, statement: str, *arguments: Any) -> Any:
        rows = await self.fetch(statement, *arguments)
        return rows[0] if rows else None


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """All nodes of a plan."""
    return [plan, *(node for inner in plan.get("Plans", ()) for node in nodes(inner))]


SCOPES: list[Sequence[str]] = [("Type3", "r3"), ("Type3",), ("Rare",), ("Absent",), ()]
PLACE = Place(MIDDLE, 2**40, Snapshot("1000000:1000000:", START + timedelta(days=30)))


async def test_no_history_reads_more_than_its_page(database_url: str) -> None:
    async with searchable(database_url) as pool:
        await pool.execute(_FILL, VERSIONS, START)
        await pool.execute("ANALYZE resource_history")
        for scope in SCOPES:
            cursor = 3 if len(scope) == 2 else PLACE
            for asked in (
                Asked(count=20),
                Asked(count=20, cursor=cursor),
                Asked(count=20, since=MIDDLE),
                Asked(count=20, since=MIDDLE + timedelta(days=99)),
                Asked(count=20, at=(MIDDLE, MIDDLE + timedelta(minutes=1))),
                Asked(count=20, cursor=cursor, since=START, at=(START, MIDDLE)),
            ):
                explaining = Explaining(pool)
                await find(explaining, scope, asked, None, lambda: MIDDLE)  # type: ignore[arg-type]
                for node in (node for plan in explaining.plans for node in nodes(plan)):
                    assert "Seq Scan" not in node["Node Type"], (scope, asked)
                    removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Join Filter", 0)
                    read = (node["Actual Rows"] + removed) * node["Actual Loops"]
                    assert read <= 200, (scope, asked, node["Node Type"], read)


@pytest.mark.parametrize("scope", [("Type3",), ()])
async def test_what_was_current_long_ago_is_looked_for_in_bounded_walks(
    database_url: str, scope: Sequence[str]
) -> None:
    async with searchable(database_url) as pool:
        await pool.execute(_FILL, VERSIONS, START)
        # all that is dated before were replaced before the moment asked for
        await pool.execute("ANALYZE resource_history")
        explaining = Explaining(pool)
        late = START + timedelta(days=365)
        page = await find(explaining, scope, Asked(count=1_000, at=(late, late)), None, lambda: late)  # type: ignore[arg-type]
        assert len(page.versions) == 1_000
        for node in (node for plan in explaining.plans for node in nodes(plan)):
            assert "Seq Scan" not in node["Node Type"]
            assert node["Actual Rows"] <= 10_000
