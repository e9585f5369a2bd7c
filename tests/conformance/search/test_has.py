"""Reverse chaining (http://hl7.org/fhir/R4/search.html#has)."""

import httpx
import pytest

from shared.fhir.json import Resource
from tests.factories.asking import found, put, refused


def _observation(id_: str, patient: str, code: str, **more: object) -> Resource:
    coding = {"coding": [{"system": "urn:c", "code": code}]}
    subject = {"reference": f"Patient/{patient}"}
    return {"resourceType": "Observation", "id": id_, "status": "final", "code": coding, "subject": subject} | more


RESOURCES: list[Resource] = [
    {"resourceType": "Practitioner", "id": "dr", "name": [{"family": "Doc"}]},
    {"resourceType": "Organization", "id": "clinic", "name": "Clinic"},
    {
        "resourceType": "Patient",
        "id": "a",
        "gender": "female",
        "managingOrganization": {"reference": "Organization/clinic"},
    },
    {"resourceType": "Patient", "id": "b", "gender": "male"},
    {"resourceType": "Patient", "id": "c"},
    _observation("oa", "a", "pain", performer=[{"reference": "Practitioner/dr"}]),
    _observation("ob", "b", "mood", performer=[{"reference": "Patient/b"}]),
    _observation("ob2", "b", "pain", effectiveDateTime="2024-01-01"),
    {
        "resourceType": "Group",
        "id": "g",
        "type": "person",
        "actual": True,
        "member": [{"entity": {"reference": "Patient/a"}}, {"entity": {"reference": "Patient/c"}}],
    },
    {
        "resourceType": "Provenance",
        "id": "v",
        "target": [{"reference": "Observation/oa"}],
        "recorded": "2024-01-01T00:00:00Z",
        "agent": [{"who": {"reference": "Practitioner/dr"}}],
    },
]


@pytest.fixture(autouse=True)
async def stored(fhir: httpx.AsyncClient) -> None:
    await put(fhir, RESOURCES)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Patient?_has:Observation:patient:code=pain", {"a", "b"}),
        ("Patient?_has:Observation:subject:code=urn:c%7Cmood", {"b"}),
        ("Patient?_has:Observation:patient:code=mood,other", {"b"}),
        ("Patient?_has:Observation:patient:code=mood&_has:Observation:patient:code=pain", {"b"}),
        ("Patient?_has:Observation:patient:code=pain&gender=male", {"b"}),
        ("Patient?_has:Observation:patient:code:not=pain", {"b"}),
        ("Patient?_has:Observation:patient:date=2024", {"b"}),
        ("Patient?_has:Observation:patient:date:missing=true", {"a", "b"}),
        ("Patient?_has:Observation:performer:code=mood", {"b"}),
        ("Patient?_has:Group:member:_id=g", {"a", "c"}),
        ("Patient?_has:Observation:patient:_has:Provenance:target:agent=Practitioner/dr", {"a"}),
        ("Patient?_has:Observation:patient:performer:Practitioner.name=doc", {"a"}),
        ("Observation?subject:Patient._has:Group:member:_id=g", {"oa"}),
        ("Observation?patient._has:Observation:patient:code=mood", {"ob", "ob2"}),
        ("Organization?_has:Patient:organization:_has:Observation:patient:code=pain", {"clinic"}),
        ("Organization?_has:Patient:organization:_has:Observation:patient:code=mood", set()),
        ("Practitioner?_has:Observation:performer:subject:Patient.gender=female", {"dr"}),
    ],
)
async def test_what_refers_to_a_resource_is_asked(fhir: httpx.AsyncClient, query: str, expected: set[str]) -> None:
    """http://hl7.org/fhir/R4/search.html#has"""
    assert set(await found(fhir, query)) == expected
    assert set(await found(fhir, f"{query}&_sort=-_lastUpdated")) == expected
    assert (await fhir.get(f"{query}&_summary=count")).json()["total"] == len(expected)


async def test_what_was_deleted_refers_to_nothing(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/http.html#delete"""
    assert (await fhir.delete("Observation/ob")).status_code == 204
    assert set(await found(fhir, "Patient?_has:Observation:patient:code=mood")) == set()


@pytest.mark.parametrize(
    "query",
    [
        "_has:Observation:patient=1",
        "_has:Observation=1",
        "_has=1",
        "_has:Bogus:patient:code=1",
        "_has:Observation:bogus:code=1",
        "_has:Observation:status:code=1",
        "_has:Observation:patient:bogus=1",
        "_has:Observation:encounter:code=1",
        "_has:Observation:patient:code=",
        "_has:Observation:patient:_has:Observation:derived-from:_has:Observation:derived-from"
        ":_has:Observation:derived-from:_has:Observation:derived-from:code=1",
    ],
)
async def test_what_leads_nowhere_is_refused(fhir: httpx.AsyncClient, query: str) -> None:
    """http://hl7.org/fhir/R4/search.html#errors"""
    await refused(fhir, f"Patient?{query}")
