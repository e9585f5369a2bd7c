"""Includes in both directions, the searchset Bundle, and what a search costs in statements."""

from typing import Any

import pytest

from shared.fhir.json import loads
from shared.fhir.search import matches, search, search_bundle
from shared.fhir.search.access import EVERYTHING, Access
from shared.fhir.search.filters import AnyOf, Ids, Terms
from tests.factories.search import searchable, store

BASE = "http://test/fhir"
RESOURCES: list[dict[str, Any]] = [
    {"resourceType": "Patient", "id": "p1", "name": [{"family": "A, B"}]},
    {"resourceType": "Patient", "id": "p2"},
    {"resourceType": "CareTeam", "id": "t1", "subject": {"reference": "Patient/p1"}},
    *(
        {
            "resourceType": "CarePlan",
            "id": f"c{number}",
            "status": "active",
            "subject": {"reference": f"Patient/p{1 + number % 2}"},
            "careTeam": [{"reference": "CareTeam/t1"}, {"reference": "CareTeam/gone"}, {"reference": "#inside"}],
        }
        for number in range(6)
    ),
    {"resourceType": "Provenance", "id": "v1", "target": [{"reference": "CarePlan/c0"}, {"reference": "CarePlan/c2"}]},
    {"resourceType": "Provenance", "id": "v2", "target": [{"reference": "CarePlan/c1"}]},
]


class Counting:
    """A connection that counts its statements."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.statements = 0

    def __getattr__(self, name: str) -> Any:
        if name.startswith("fetch"):
            self.statements += 1
        return getattr(self._connection, name)


async def test_includes_come_once_beside_the_page(database_url: str) -> None:
    async with searchable(database_url) as pool:
        await store(pool, RESOURCES)
        wanted = [("_include", "CarePlan:care-team"), ("_include", "CarePlan:subject:Patient")]
        wanted += [("_revinclude", "Provenance:target"), ("_include", "Task:focus"), ("_count", "3")]
        counting = Counting(pool)
        page = await search(counting, "CarePlan", [("status", "active"), *wanted])  # type: ignore[arg-type]
        assert counting.statements == 2
        assert [match.id for match in page.matches] == ["c0", "c1", "c2"]
        assert sorted(f"{i.type}/{i.id}" for i in page.included) == [
            "CareTeam/t1",
            "Patient/p1",
            "Patient/p2",
            "Provenance/v1",
            "Provenance/v2",
        ]


@pytest.mark.parametrize("parameter", ["patient", "subject"])
async def test_a_patient_brings_in_what_is_about_it(database_url: str, parameter: str) -> None:
    async with searchable(database_url) as pool:
        await store(pool, RESOURCES)
        page = await search(pool, "Patient", [("_id", "p1"), ("_revinclude", f"CarePlan:{parameter}")])
        assert sorted(include.id for include in page.included) == ["c0", "c2", "c4"]


@pytest.mark.parametrize(
    "query",
    [
        [("patient", "p1"), ("status", "active"), ("_count", "5")],
        [("status", "active")],
        [("status", "active"), ("_sort", "-_lastUpdated")],
        [("status", "active,draft"), ("date:missing", "true")],
    ],
)
async def test_a_search_is_one_statement(database_url: str, query: list[tuple[str, str]]) -> None:
    async with searchable(database_url) as pool:
        await store(pool, RESOURCES)
        counting = Counting(pool)
        await search(counting, "CarePlan", query)  # type: ignore[arg-type]
        assert counting.statements == 1


async def test_an_access_filter_holds_for_matches_includes_and_totals(database_url: str) -> None:
    async with searchable(database_url) as pool:
        await store(pool, RESOURCES)
        access = Access(lambda type_: AnyOf((Ids(("c0", "c1", "p1", "v2")),)))
        query = [("status", "active"), ("_include", "CarePlan:subject"), ("_revinclude", "Provenance:target")]
        page = await search(pool, "CarePlan", [*query, ("_total", "accurate")], access=access)
        assert [match.id for match in page.matches] == ["c0", "c1"]
        assert sorted(include.id for include in page.included) == ["p1", "v2"]
        assert page.total == 2
        counted = await search(pool, "CarePlan", [("status", "active"), ("_summary", "count")], access=access)
        assert counted.total == 2
        nothing = await search(pool, "CarePlan", query, access=Access(lambda type_: Terms(())))
        assert (nothing.matches, nothing.included) == ((), ())


async def test_the_bundle_holds_the_stored_bytes_and_links_that_work_again(database_url: str) -> None:
    async with searchable(database_url) as pool:
        await store(pool, RESOURCES)
        text = await search_bundle(
            pool,
            "CarePlan",
            [("status", "active"), ("bogus", "x"), ("_count", "4"), ("_total", "accurate")],
            base=BASE,
            access=EVERYTHING,
        )
        bundle = loads(text)
        assert bundle["total"] == 6
        assert bundle["link"][0] == {
            "relation": "self",
            "url": f"{BASE}/CarePlan?status=active&_count=4&_total=accurate",
        }
        assert bundle["link"][1]["relation"] == "next"
        assert bundle["entry"][0]["fullUrl"] == f"{BASE}/CarePlan/c0"
        assert bundle["entry"][0]["resource"] == RESOURCES[3]
        empty = loads(
            await search_bundle(
                pool, "Patient", [("name:exact", r"A\, B"), ("active", "true")], base=BASE, access=EVERYTHING
            )
        )
        assert "entry" not in empty
        found = loads(await search_bundle(pool, "Patient", [("name:exact", r"A\, B")], base=BASE, access=EVERYTHING))
        assert [entry["resource"]["id"] for entry in found["entry"]] == ["p1"]


async def test_conditional_criteria_find_up_to_their_limit(database_url: str) -> None:
    async with searchable(database_url) as pool:
        await store(pool, RESOURCES)
        found = await matches(pool, "CarePlan", [("status", "active")], base=BASE, access=EVERYTHING, limit=2)
        assert [stored.id for stored in found] == ["c0", "c1"]


async def test_a_new_version_is_found_by_what_it_says_now(database_url: str) -> None:
    async with searchable(database_url) as pool:
        await store(pool, RESOURCES)
        changed = RESOURCES[3] | {"status": "completed", "period": {"start": "2024"}}
        await store(pool, [changed], version=2)
        await store(pool, [changed | {"intent": "plan"}], version=3)
        for query, expected in [("status=active", 5), ("status=completed", 1), ("intent=plan", 1), ("date=2024", 0)]:
            name, _, value = query.partition("=")
            page = await search(pool, "CarePlan", [(name, value)])
            assert len(page.matches) == expected, query
        rows = await pool.fetchval("SELECT count(*) FROM index_date")
        assert rows == 1
