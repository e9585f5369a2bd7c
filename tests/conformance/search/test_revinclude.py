"""``_revinclude``, with ``:iterate`` and ``*`` (http://hl7.org/fhir/R4/search.html#revinclude)."""

import httpx
import pytest

from shared.fhir.json import Resource
from tests.conformance.search.test_include import entries
from tests.factories.asking import put, refused

RESOURCES: list[Resource] = [
    {"resourceType": "Patient", "id": "p"},
    {"resourceType": "Patient", "id": "other"},
    {"resourceType": "Goal", "id": "g", "lifecycleStatus": "active", "description": {"text": "x"}},
    {
        "resourceType": "CarePlan",
        "id": "c",
        "status": "active",
        "intent": "plan",
        "subject": {"reference": "Patient/p"},
        "goal": [{"reference": "Goal/g"}],
    },
    {
        "resourceType": "CarePlan",
        "id": "part",
        "status": "active",
        "intent": "plan",
        "subject": {"reference": "Patient/other"},
        "partOf": [{"reference": "CarePlan/c"}],
    },
    {
        "resourceType": "Provenance",
        "id": "v",
        "target": [{"reference": "CarePlan/c"}],
        "recorded": "2024-01-01T00:00:00Z",
        "agent": [{"who": {"reference": "Patient/p"}}],
    },
]
RESOURCES[2]["subject"] = {"reference": "Patient/p"}


@pytest.fixture(autouse=True)
async def stored(fhir: httpx.AsyncClient) -> None:
    await put(fhir, RESOURCES)


@pytest.mark.parametrize(
    ("query", "included"),
    [
        ("_revinclude=CarePlan:subject", ["CarePlan/c"]),
        ("_revinclude=CarePlan:subject:Patient", ["CarePlan/c"]),
        ("_revinclude=CarePlan:*", ["CarePlan/c"]),
        ("_revinclude=CarePlan:patient&_revinclude=Goal:patient", ["CarePlan/c", "Goal/g"]),
        ("_revinclude=CarePlan:patient&_revinclude=Provenance:target", ["CarePlan/c"]),
        ("_revinclude=CarePlan:patient&_revinclude:iterate=Provenance:target", ["CarePlan/c", "Provenance/v"]),
        ("_revinclude:iterate=CarePlan:part-of&_revinclude=CarePlan:patient", ["CarePlan/c", "CarePlan/part"]),
        ("_revinclude=CarePlan:patient&_include:iterate=CarePlan:goal", ["CarePlan/c", "Goal/g"]),
    ],
)
async def test_what_refers_to_a_match_comes_along(fhir: httpx.AsyncClient, query: str, included: list[str]) -> None:
    """http://hl7.org/fhir/R4/search.html#revinclude"""
    expected = [*(("include", each) for each in included), ("match", "Patient/p")]
    assert await entries(fhir, f"Patient?_id=p&{query}") == expected


@pytest.mark.parametrize(
    "query",
    ["_revinclude=*", "_revinclude:iterate=*", "_revinclude=CarePlan:subject:Group", "_revinclude=CarePlan:bogus"],
)
async def test_what_cannot_be_included_is_refused(fhir: httpx.AsyncClient, query: str) -> None:
    """http://hl7.org/fhir/R4/search.html#errors"""
    await refused(fhir, f"Patient?{query}")
