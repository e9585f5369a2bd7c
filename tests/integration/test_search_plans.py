"""What PostgreSQL really reads for a page of each shape of search, over 200,000 rows (docs/adr/0003-search-layout.md).

A search may read a few thousand rows of the resource and index tables, never a table or an index as a whole. To add a
shape, add a line to ``SHAPES``. Not here, because they do read long lists whole, as the ADR says: common filters that
exclude each other, a population sorted by several keys.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import pytest

from shared.fhir.json import Resource
from shared.fhir.search.lookups import Lookups
from shared.fhir.search.parse import parse
from shared.fhir.search.statement import page_statement
from shared.store.database import Connection
from tests.explained import explained
from tests.factories.many import multiply
from tests.factories.search import searchable

ROWS = 200_000
MOST_READ = 20_000
"""Rows read by all scans together: the lists that are counted up to a bound, the trial, the page."""
NOW = datetime(2022, 1, 15, tzinfo=UTC)
LOINC = "http://loinc.org"


def _observation(number: int, code: str, **more: Any) -> Resource:
    return {
        "resourceType": "Observation",
        "id": f"o{number}",
        "meta": {"profile": [f"http://example.org/profiles/{number % 2}/vital"]},
        "status": "final" if number % 10 else "amended",
        "code": {"coding": [{"system": LOINC, "code": code, "display": f"Display of {code}"}]},
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2020-01-01T10:00:00Z",
        "valueQuantity": {"value": 10 + number, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"},
    } | more


TEMPLATES = [
    *(_observation(number, f"c{number % 4}") for number in range(34)),
    *(
        _observation(34 + number, "c3", effectivePeriod={"start": "2020-01-01", "end": end}, effectiveDateTime=None)
        for number, end in enumerate(("2020-01-05", "2020-02-01", "2020-09-01", "2024"))
    ),
    _observation(38, "c1", identifier=[{"type": {"coding": [{"system": "urn:t", "code": "MR"}]}, "value": "1"}]),
    _observation(
        39,
        "panel",
        component=[{"code": {"coding": [{"system": LOINC, "code": "part"}]}, "valueQuantity": {"value": 3}}],
        valueQuantity=None,
    ),
]
TEMPLATES = [{name: value for name, value in one.items() if value is not None} for one in TEMPLATES]
SHAPES = [
    # one patient
    "Observation?subject=Patient/p-500&code=c1&_sort=-date",
    "Observation?subject=Patient/p-500&code:text=display&_sort=value-quantity",
    "Observation?subject=Patient/p-500&code-value-quantity=c1$gt5",
    "Observation?subject=Patient/p-500&code:not=c1&status:not=final",
    # tokens
    "Observation?code=c1",
    "Observation?code=c2&status=final",
    "Observation?code:not=c1",
    "Observation?status:not=final",
    "Observation?code:text=display of c1",
    "Observation?code:text=nothing like it",
    "Observation?code:in=http://example.org/some",
    "Observation?code:not-in=http://example.org/some",
    "Observation?identifier:of-type=urn:t|MR|1",
    "Observation?identifier:of-type=urn:t|MR|2",
    "Observation?code:missing=false",
    # composites
    "Observation?code-value-quantity=c1$gt900",
    "Observation?code-value-quantity=http://loinc.org|c1$20|http://unitsofmeasure.org|mg",
    "Observation?code-value-quantity=c1$lt0",
    "Observation?combo-code-value-quantity=part$gt500",
    "Observation?component-code-value-quantity=part$5,part$7",
    # numbers, quantities and dates
    "Observation?value-quantity=gt2000",
    "Observation?value-quantity=50||mg",
    "Observation?date=ge2021-01-01&date=lt2021-02-01",
    "Observation?date=eb2019",
    "Observation?date=ap2021-12",
    "Observation?_lastUpdated=ge2024-01-02&_lastUpdated=lt2024-01-02T01:00:00Z",
    # URIs
    "Observation?_profile=http://example.org/profiles/1/vital",
    "Observation?_profile:below=http://example.org/profiles/1",
    "Observation?_profile:below=http://example.org/none",
    "Observation?_profile:above=http://example.org/profiles/1/vital/more",
    # the order of the answer
    "Observation?_sort=date",
    "Observation?_sort=-date&code=c1",
    "Observation?_sort=-_lastUpdated&code=c1",
    "Observation?_sort=status",
    "Observation?_sort=-status&code=c1",
    "Observation?_sort=code",
    "Observation?_sort=value-quantity",
    "Observation?_sort=-value-quantity&status=final",
    "Observation?_sort=value-quantity&status=amended",
    "Observation?subject=Patient/p-500&_sort=patient,-status,value-quantity",
]


def _plan(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The nodes of a plan that were executed."""
    if node["Actual Loops"]:
        yield node
        for inner in node.get("Plans", ()):
            yield from _plan(inner)


def _read(node: dict[str, Any]) -> float:
    """Rows that a node took from a table or index."""
    removed = sum(node.get(f"Rows Removed by {why}", 0) for why in ("Filter", "Index Recheck"))
    return float(node["Actual Rows"] + removed) * node["Actual Loops"]


async def _findings(connection: Connection, search: str) -> list[str]:
    """What is wrong with how ``search`` is answered."""
    type_, _, rest = search.partition("?")
    some = {"url": "http://example.org/some", "compose": {"include": [{"system": LOINC, "concept": [{"code": "c2"}]}]}}
    lookups = Lookups({some["url"]: some})
    query = parse(type_, parse_qsl(rest.replace("|", "%7C")), strict=True, now=NOW, lookups=lookups)
    statement, arguments = page_statement(query)
    told = await explained(connection, statement, arguments)
    nodes = [node for node in _plan(told["Plan"]) if "Relation Name" in node]
    found = [f"{search}: {n['Node Type']} on {n['Relation Name']}" for n in nodes if n["Node Type"] == "Seq Scan"]
    read = sum(_read(node) for node in nodes)
    if read > MOST_READ:
        most = max(nodes, key=_read)
        found.append(
            f"{search}: read {read:.0f} rows, {_read(most):.0f} by {most['Node Type']} on {most['Relation Name']}"
        )
    return found


@pytest.mark.timeout(600)
async def test_no_search_reads_a_table_or_an_index_as_a_whole(database_url: str) -> None:
    async with searchable(database_url) as pool, pool.acquire() as connection:
        await multiply(connection, TEMPLATES, ROWS)
        findings = [finding for search in SHAPES for finding in await _findings(connection, search)]
        assert not findings, "\n".join(findings)
        # and the test sees one that does
        assert await _findings(connection, "Observation?value-quantity=ne1&value-quantity=lt0")
