"""Pages while rows are being written: what was there all the time comes once, what comes or goes at most once."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import strategies as st

from shared.fhir.json import Resource
from shared.store import resources
from shared.store.write import Write
from tests.factories.search import pages, store
from tests.integration.oracle.asking import BRANCHES, Database, try_examples

KEPT, MOVED, REMOVED = range(8), range(8, 11), range(11, 14)
STARTS = ("2024-01", "2024-02", "2024-02-01")
BY_VALUE = ("date", "-date", "category", "-instantiates-uri", "status,-date", "-category,_id")
FIXED = ("", "_lastUpdated", "-_lastUpdated", "_id", "-_id")
"""Orders in which no edit loses or repeats a row, whatever it changes."""


def _plan(number: int, value: int) -> Resource:
    return {
        "resourceType": "CarePlan",
        "id": f"c{number:02d}",
        "status": ("active", "draft")[value % 2],
        "intent": "plan",
        "subject": {"reference": "Patient/p"},
        "category": [{"text": ("walk", "Rest", "eat")[value % 3]}],
        "period": {"start": STARTS[value % 3]},
        "instantiatesUri": [f"http://a/{value % 3}"],
    }


class Rows:
    """The plans, and how often each was written."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.values: dict[int, int] = {}
        self._versions: Counter[int] = Counter()
        self.gone: set[int] = set()

    async def put(self, number: int, value: int, at: datetime | None = None) -> None:
        """Create the plan or write it again."""
        self.values[number] = value
        self._versions[number] += 1
        note = {"note": [{"text": str(self._versions[number])}]}
        at = at or datetime.now(UTC)
        await store(self._database.pool, [_plan(number, value) | note], version=self._versions[number], at=at)

    async def remove(self, number: int) -> None:
        """Delete the plan."""
        self.gone.add(number)
        self._versions[number] += 1
        resource = _plan(number, 0)
        write = Write(
            "CarePlan", resource["id"], self._versions[number], datetime.now(UTC), "DELETE", b"", deleted=True
        )
        assert (await resources.write(self._database.pool, [write], (), ())).written == 1


async def _write(rows: Rows, data: Any, created: int) -> int:
    """A few random writes; the number of the next new plan."""
    for operation in data.draw(st.lists(st.sampled_from(("touch", "touch", "edit", "create", "remove")), max_size=5)):
        if operation == "touch":
            number = data.draw(st.sampled_from(KEPT))
            await rows.put(number, rows.values[number])
        elif operation == "edit":
            await rows.put(data.draw(st.sampled_from(MOVED)), data.draw(st.integers(0, 5)))
        elif operation == "create":
            await rows.put(created, data.draw(st.integers(0, 5)))
            created += 1
        elif left := sorted(set(REMOVED) - rows.gone):
            await rows.remove(left[0])
    return created


@pytest.mark.parametrize("branch", BRANCHES)
@pytest.mark.parametrize("orders", [FIXED, BY_VALUE], ids=["fixed", "by value"])
def test_nothing_is_lost_or_repeated(database_url: str, orders: tuple[str, ...], branch: str) -> None:
    """http://hl7.org/fhir/R4/http.html#paging"""

    async def check(database: Database, data: Any) -> None:
        await database.fill({})
        rows, created = Rows(database), 20
        before = datetime.now(UTC) - timedelta(hours=1)
        for number in (*KEPT, *MOVED, *REMOVED):
            await rows.put(number, data.draw(st.integers(0, 5)), before + timedelta(seconds=number))
        sort, criteria = (
            data.draw(st.sampled_from(orders)),
            data.draw(st.sampled_from(("", "intent=plan&", "patient=p&"))),
        )
        query = f"CarePlan?{criteria}_count=3" + (f"&_sort={sort}" if sort else "")
        met: Counter[str] = Counter()
        async for page in pages(database.pool, query):
            met.update(page)
            created = await _write(rows, data, created)
        once = [*KEPT, *(MOVED if orders is FIXED else ())]
        assert {number: met[f"c{number:02d}"] for number in once} == dict.fromkeys(once, 1), query
        seldom = [*REMOVED, *range(20, created)]
        assert all(met[f"c{number:02d}"] <= 1 for number in seldom), query

    try_examples(database_url, branch, 12, check)
