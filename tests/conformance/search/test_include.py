"""``_include``, with ``:iterate`` and ``*`` (http://hl7.org/fhir/R4/search.html#include)."""

import httpx
import pytest

from shared.fhir.json import Resource
from shared.fhir.search import includes
from tests.factories.asking import put, refused


def _observation(id_: str, *derived_from: str, **more: object) -> Resource:
    observation: Resource = {"resourceType": "Observation", "id": id_, "status": "final", "code": {"text": "x"}}
    if derived_from:
        observation["derivedFrom"] = [{"reference": f"Observation/{each}"} for each in derived_from]
    return observation | more


RESOURCES: list[Resource] = [
    {"resourceType": "Organization", "id": "whole", "name": "Whole"},
    {"resourceType": "Organization", "id": "part", "name": "Part", "partOf": {"reference": "Organization/whole"}},
    {"resourceType": "Patient", "id": "p", "managingOrganization": {"reference": "Organization/part"}},
    _observation("o1"),
    _observation("o2", "o1"),
    _observation("o3", "o2", subject={"reference": "Patient/p/_history/1"}),
    {
        "resourceType": "PlanDefinition",
        "id": "recipe",
        "url": "http://example.org/recipe",
        "version": "2",
        "status": "active",
    },
    {
        "resourceType": "CarePlan",
        "id": "plan",
        "status": "active",
        "intent": "plan",
        "subject": {"reference": "Patient/p"},
        "instantiatesCanonical": ["http://example.org/recipe|2", "http://example.org/elsewhere"],
    },
]


@pytest.fixture(autouse=True)
async def stored(fhir: httpx.AsyncClient) -> None:
    await put(fhir, RESOURCES)


async def entries(fhir: httpx.AsyncClient, query: str) -> list[tuple[str, str]]:
    """(mode, Type/id) of every entry, sorted."""
    answer = await fhir.get(query, headers={"prefer": "handling=strict"})
    assert answer.status_code == 200, answer.text
    return sorted(
        (entry["search"]["mode"], f"{entry['resource']['resourceType']}/{entry['resource']['id']}")
        for entry in answer.json()["entry"]
    )


@pytest.mark.parametrize(
    ("query", "included"),
    [
        ("_include=Observation:subject", ["Patient/p"]),
        ("_include=Observation:subject:Patient", ["Patient/p"]),
        ("_include=Observation:subject:Group", []),
        ("_include=Observation:derived-from", ["Observation/o2"]),
        ("_include:iterate=Observation:derived-from", ["Observation/o1", "Observation/o2"]),
        ("_include=Observation:subject&_include=Patient:organization", ["Patient/p"]),
        ("_include=Observation:subject&_include:iterate=Patient:organization", ["Organization/part", "Patient/p"]),
        (
            "_include=Observation:subject&_include:iterate=Patient:organization&_include:iterate=Organization:partof",
            ["Organization/part", "Organization/whole", "Patient/p"],
        ),
        ("_include=*", ["Observation/o2", "Patient/p"]),
        ("_include=Observation:*", ["Observation/o2", "Patient/p"]),
        ("_include=Observation:*:Patient", ["Patient/p"]),
    ],
)
async def test_what_a_match_refers_to_comes_along(fhir: httpx.AsyncClient, query: str, included: list[str]) -> None:
    """http://hl7.org/fhir/R4/search.html#include"""
    expected = [*(("include", each) for each in included), ("match", "Observation/o3")]
    assert await entries(fhir, f"Observation?_id=o3&_count=1&{query}") == expected


async def test_a_canonical_reference_leads_to_what_has_that_url(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/references.html#canonical"""
    expected = [("include", "PlanDefinition/recipe"), ("match", "CarePlan/plan")]
    assert await entries(fhir, "CarePlan?_include=CarePlan:instantiates-canonical") == expected
    assert await entries(fhir, "CarePlan?_include=CarePlan:instantiates-canonical:Measure") == expected[1:]


async def test_a_circle_comes_to_an_end(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/search.html#include: a server stops where it would go round"""
    assert (await fhir.put("Observation/o1", json=_observation("o1", "o3", "o1"))).status_code == 200
    expected = [("include", "Observation/o1"), ("include", "Observation/o2"), ("match", "Observation/o3")]
    assert await entries(fhir, "Observation?_id=o3&_include:iterate=Observation:derived-from") == expected


async def test_what_goes_on_for_too_long_is_refused(fhir: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """http://hl7.org/fhir/R4/search.html#include"""
    monkeypatch.setattr(includes, "MOST_ROUNDS", 1)
    assert await refused(fhir, "Observation?_id=o3&_include:iterate=Observation:derived-from") == "too-costly"


@pytest.mark.parametrize(
    "query",
    [
        "_include=Bogus:subject",
        "_include=Observation:bogus",
        "_include=Observation:status",
        "_include=Observation",
        "_include=Observation:subject:Bogus",
        "_include:bogus=Observation:subject",
        "_include:iterate=*",
        "_include=Bogus:*",
        "_revinclude=*",
    ],
)
async def test_what_cannot_be_included_is_refused(fhir: httpx.AsyncClient, query: str) -> None:
    """http://hl7.org/fhir/R4/search.html#errors"""
    await refused(fhir, f"Observation?{query}")
