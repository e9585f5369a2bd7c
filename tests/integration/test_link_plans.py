"""What chains, ``_has``, includes and exports read at 200,000 resources: never a table or an index as a whole."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import parse_qsl

import asyncpg
import pytest

from shared.fhir.bulk.asked import Asked, Scope
from shared.fhir.bulk.selecting import LISTED, PAGE, candidates
from shared.fhir.bulk.selecting import page as export_page
from shared.fhir.json import Resource, dumps
from shared.fhir.search import search
from shared.fhir.search.extract import extract
from shared.fhir.search.parse import parse
from shared.fhir.search.snapshot import COLUMN
from shared.fhir.search.statement import count_statement, page_statement
from shared.store.database import Pool
from shared.store.indexing import identity
from tests.explained import explained
from tests.factories.search import searchable

PLANS, PATIENTS, DEAD = 200_000, 20_000, 10_000
AT = datetime(2026, 1, 1, tzinfo=UTC)


def _patient(number: int) -> Resource:
    patient: Resource = {
        "resourceType": "Patient",
        "id": f"p{number}",
        "gender": "other" if number % 5_000 == 7 else ("male", "female")[number % 2],
        "name": [{"family": f"F{number}"}],
        "managingOrganization": {"reference": "Organization/small" if number < 10 else "Organization/big"},
    }
    # nobody plans for the dead
    return patient | ({"deceasedBoolean": True} if number >= PATIENTS else {})


def _plan(number: int) -> Resource:
    return {
        "resourceType": "CarePlan",
        "id": f"c{number}",
        "status": "active" if number % 5 < 3 else "revoked" if number % 20_000 == 4 else "completed",
        "subject": {"reference": f"Patient/p{number % PATIENTS}"},
    }


def _resources() -> Iterator[Resource]:
    yield from ({"resourceType": "Organization", "id": id_, "name": id_} for id_ in ("small", "big"))
    yield from (_patient(number) for number in range(PATIENTS + DEAD))
    yield from (_plan(number) for number in range(PLANS))


async def _fill(pool: Pool) -> None:
    rows, terms, strings = [], [], []
    for rid, resource in enumerate(_resources(), 1):
        type_, id_ = resource["resourceType"], resource["id"]
        index = extract(resource)
        params, targets = [param for param, _ in index.links], [target for _, target in index.links]
        rows.append((rid, type_, id_, identity(type_, id_), 1, AT, False, index.patient, index.terms, index.marks))
        rows[-1] += (params, targets, dumps(resource))  # type: ignore[assignment]
        terms += [(term, rid) for term in index.terms]
        strings += [(entry.param, rid, entry.value, entry.exact) for entry in index.strings]
    columns = "rid type id self version last_updated deleted patient terms marks link_params link_targets body".split()
    async with pool.acquire() as connection:
        await connection.copy_records_to_table("resource", records=rows, columns=columns)
        await connection.copy_records_to_table("index_term", records=terms)
        await connection.copy_records_to_table("index_string", records=strings)
        await connection.execute("ANALYZE")


async def _explained(pool: Pool, statement: str, arguments: list[Any]) -> tuple[float, int, list[str]]:
    """Milliseconds, rows read from tables and indexes, and the tables that were read as a whole."""
    plan = await explained(pool, statement, arguments)
    read, whole = 0, []
    waiting = [plan["Plan"]]
    while waiting:
        node = waiting.pop()
        waiting += node.get("Plans", ())
        if (
            node.get("Actual Loops")
            and node["Node Type"].endswith("Scan")
            and {"Relation Name", "Index Name"} & {*node}
        ):
            removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
            read += round((node["Actual Rows"] + removed) * node["Actual Loops"])
            if node["Node Type"] == "Seq Scan":
                whole.append(node["Relation Name"])
    return plan["Execution Time"], read, whole


class Explaining:
    """A pool that explains every statement that it is asked."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.read = 0
        self.whole: list[str] = []

    async def fetch(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        """The rows; what reading them took is added up."""
        _, read, whole = await _explained(self._pool, statement, list(arguments))
        self.read += read
        self.whole += whole
        return await self._pool.fetch(statement, *arguments)


FEW, LISTS = 5_000, 40_000
"""Rows read for a page: a few for each row of a bounded list; or lists that exclude each other, as a whole."""

CASES = [
    ("CarePlan?subject:Patient.family=f123&_count=20", FEW),
    ("CarePlan?subject:Patient.gender=other&_count=20", FEW),
    ("CarePlan?subject:Patient.gender=male&_count=20", FEW),
    ("CarePlan?subject.gender=male&_sort=-_lastUpdated&_count=20", FEW),
    ("CarePlan?subject:Patient.gender=other&status=active&_count=20", FEW),
    ("CarePlan?subject:Patient.gender=male&status=active&_count=20", FEW),
    ("CarePlan?subject:Patient.gender=male&status=revoked&_count=20", FEW),
    ("CarePlan?subject:Patient.family=f&_count=20", FEW),
    # by two things of one patient: neither list of plans is read
    ("CarePlan?subject:Patient.family=f123&subject:Patient.gender=other&_count=20", 1_000),
    ("CarePlan?subject:Patient.gender:not=male&_count=20", FEW),
    ("CarePlan?subject:Patient.organization.name=small&_count=20", FEW),
    ("CarePlan?subject:Patient.organization.name=big&_count=20", FEW),
    ("CarePlan?subject:Patient.organization.name=nothing&_count=20", FEW),
    ("CarePlan?patient=p5&subject:Patient.gender=female&_count=20", FEW),
    ("CarePlan?subject:Patient.deceased=true&_count=20", LISTS),
    ("CarePlan?subject:Patient.deceased=true&status=active&_count=20", LISTS + PLANS),
    ("Patient?_has:CarePlan:patient:status=revoked&_count=20", FEW),
    ("Patient?_has:CarePlan:patient:status=active&_count=20", FEW),
    ("Patient?_has:CarePlan:patient:status=active&gender=other&_count=20", FEW),
    ("Patient?_has:CarePlan:patient:status=none&_count=20", FEW),
    ("Organization?_has:Patient:organization:gender=other&_count=20", FEW),
    ("Organization?_has:Patient:organization:gender=male&_count=20", FEW),
    ("Organization?_has:Patient:organization:_has:CarePlan:subject:status=revoked&_count=20", FEW),
    ("CarePlan?subject:Patient._has:CarePlan:patient:status=revoked&_count=20", FEW),
]

INCLUDES = [
    "CarePlan?status=revoked&_include=CarePlan:subject&_count=20",
    "CarePlan?status=active&_include=*&_count=20",
    "CarePlan?status=active&_include=CarePlan:subject&_include:iterate=Patient:organization&_count=20",
    "Patient?gender=other&_revinclude=CarePlan:patient&_count=20",
    "Patient?gender=male&_revinclude=CarePlan:*&_count=20",
    "Organization?name=small&_revinclude=Patient:organization&_revinclude:iterate=CarePlan:subject",
]


def _asked(patients: frozenset[str] | None = None, since: datetime | None = None) -> Asked:
    scope = Scope.SYSTEM if patients is None else Scope.PATIENTS
    return Asked("", ("CarePlan",), scope, patients, since, None, {})


LATER = AT + timedelta(days=1)
EXPORTS = [
    ("everything", _asked(), LISTED + 2 * PAGE),
    ("what was changed since", _asked(since=LATER), PAGE),
    ("three patients", _asked(frozenset({"p1", "p2", "p3"})), PAGE),
    ("three patients, what was changed since", _asked(frozenset({"p1", "p2", "p3"}), LATER), PAGE),
]


@pytest.mark.timeout(300)
async def test_no_link_reads_a_table_or_an_index_as_a_whole(database_url: str) -> None:
    async with searchable(database_url) as pool:
        await _fill(pool)
        for url, most in CASES:
            type_, _, query = url.partition("?")
            asked = parse(type_, parse_qsl(query), now=AT, strict=True)
            for _ in range(2):
                took, read, whole = await _explained(pool, *page_statement(asked))
            print(f"{took:8.2f} ms {read:8d} rows  {url}")
            assert (whole, read <= most) == ([], True), f"{url}: {read} rows, {whole}"
        for url in ("CarePlan?subject:Patient.gender=other", "Patient?_has:CarePlan:patient:status=revoked"):
            type_, _, query = url.partition("?")
            took, read, whole = await _explained(pool, *count_statement(parse(type_, parse_qsl(query), now=AT)))
            print(f"{took:8.2f} ms {read:8d} rows  count {url}")
            assert (whole, read <= FEW) == ([], True), f"{url}: {read} rows, {whole}"
        for url in INCLUDES:
            type_, _, query = url.partition("?")
            explaining = Explaining(pool)
            page = await search(cast("Pool", explaining), type_, parse_qsl(query), strict=True)
            print(f"{explaining.read:20d} rows  {url}")
            assert page.included, url
            assert (explaining.whole, explaining.read <= FEW) == ([], True), f"{url}: {explaining.read} rows"
        snapshot = await pool.fetchval(f"SELECT {COLUMN}")
        for name, asked_for, most in EXPORTS:
            explaining = Explaining(pool)
            source, at = cast("Pool", explaining), AT + timedelta(days=2)
            listed = await candidates(source, asked_for, at, "CarePlan", 0)
            assert bool(listed) is (asked_for.since is None), name
            if listed:
                assert (await export_page(source, asked_for, at, snapshot, "CarePlan", listed)).found, name
            print(f"{explaining.read:20d} rows  export of {name}")
            assert (explaining.whole, explaining.read <= most) == ([], True), f"{name}: {explaining.read} rows"


async def test_a_statement_is_not_planned_anew_for_each_request(database_url: str) -> None:
    """Left to itself, PostgreSQL does that for chains: it took most of their time."""
    async with searchable(database_url) as pool, pool.acquire() as connection:
        for number in range(8):
            await search(connection, "CarePlan", [("subject:Patient.family", f"f{number}")], strict=True)
        (planned,) = await connection.fetch(
            "SELECT sum(generic_plans) AS once, sum(custom_plans) AS anew FROM pg_prepared_statements"
            " WHERE statement LIKE '%list0 AS MATERIALIZED%' AND statement NOT LIKE '%pg_prepared_statements%'"
        )
        assert (planned["once"], planned["anew"]) == (8, 0)
