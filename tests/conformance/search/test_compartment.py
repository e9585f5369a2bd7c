"""Searches in a patient's compartment (http://hl7.org/fhir/R4/compartmentdefinition-patient.html)."""

import httpx
import pytest

from shared.fhir.json import Resource
from tests.factories.asking import found, put, refused


def _observation(id_: str, patient: str, **more: object) -> Resource:
    subject = {"reference": f"Patient/{patient}"}
    resource: Resource = {"resourceType": "Observation", "id": id_, "status": "final", "code": {"text": "pain"}}
    return resource | {"subject": subject} | more


RESOURCES: list[Resource] = [
    *({"resourceType": "Patient", "id": id_} for id_ in "ab"),
    {"resourceType": "Patient", "id": "twin", "link": [{"other": {"reference": "Patient/a"}, "type": "seealso"}]},
    _observation("mine", "a", effectiveDateTime="2024-01-01"),
    _observation("old", "a", effectiveDateTime="2020-01-01", status="amended"),
    _observation("told", "b", performer=[{"reference": "Patient/a"}]),
    _observation("other", "b"),
    {
        "resourceType": "Group",
        "id": "g",
        "type": "person",
        "actual": True,
        "member": [{"entity": {"reference": "Patient/a"}}, {"entity": {"reference": "Patient/b"}}],
    },
    {"resourceType": "Organization", "id": "clinic", "name": "Clinic"},
]


@pytest.fixture(autouse=True)
async def stored(fhir: httpx.AsyncClient) -> None:
    await put(fhir, RESOURCES)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Patient/a/Observation", {"mine", "old", "told"}),
        ("Patient/b/Observation", {"told", "other"}),
        ("Patient/nobody/Observation", set()),
        ("Patient/a/Observation?status=final", {"mine", "told"}),
        ("Patient/a/Observation?patient=b", {"told"}),
        ("Patient/a/Observation?subject:Patient._id=b", {"told"}),
        ("Patient/a/Group", {"g"}),
        ("Patient/a/Patient", {"a", "twin"}),
        ("Patient/b/Patient", {"b"}),
    ],
)
async def test_every_way_into_the_compartment_counts(fhir: httpx.AsyncClient, query: str, expected: set[str]) -> None:
    """http://hl7.org/fhir/R4/http.html#vsearch"""
    ids = await found(fhir, query)
    assert (set(ids), len(ids)) == (expected, len(expected))


async def test_it_is_searched_by_post_too(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/http.html#search"""
    answer = await fhir.post("Patient/a/Observation/_search", data={"status": "final"})
    assert {entry["resource"]["id"] for entry in answer.json()["entry"]} == {"mine", "told"}


async def test_order_includes_totals_and_pages(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/http.html#paging"""
    assert (await found(fhir, "Patient/a/Observation?_sort=-date"))[:2] == ["mine", "old"]
    seen, url = [], "Patient/a/Observation?_count=1&_total=accurate&_include=Observation:subject"
    while url:
        page = (await fhir.get(url)).json()
        links = {link["relation"]: link["url"] for link in page["link"]}
        assert "/Patient/a/Observation?" in links["self"]
        assert page["total"] == 3
        assert [entry["resource"]["resourceType"] for entry in page["entry"]] == ["Observation", "Patient"]
        seen.append(page["entry"][0]["resource"]["id"])
        url = links.get("next", "")
    assert sorted(seen) == ["mine", "old", "told"]


async def test_what_is_in_nobodys_compartment_is_refused(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/compartmentdefinition-patient.html"""
    assert await refused(fhir, "Patient/a/Organization") == "not-supported"
    assert (await fhir.get("Patient/a/Nonsense")).status_code == 404
    assert (await fhir.get("Practitioner/a/Observation")).status_code == 404
    assert (await fhir.post("Patient/a/Observation", json=_observation("x", "a"))).status_code in (404, 405)


async def test_the_compartment_is_told(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/capabilitystatement-definitions.html#CapabilityStatement.rest.compartment"""
    (rest,) = (await fhir.get("metadata")).json()["rest"]
    assert rest["compartment"] == ["http://hl7.org/fhir/CompartmentDefinition/patient"]
