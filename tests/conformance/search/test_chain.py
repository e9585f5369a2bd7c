"""Chained parameters (http://hl7.org/fhir/R4/search.html#chaining)."""

import httpx
import pytest

from shared.fhir.json import Resource
from tests.factories.asking import found, put, refused

RESOURCES: list[Resource] = [
    {
        "resourceType": "Organization",
        "id": "clinic",
        "name": "Clinic",
        "identifier": [{"system": "urn:o", "value": "1"}],
    },
    {
        "resourceType": "Patient",
        "id": "ana",
        "name": [{"family": "Alves", "given": ["Ana"]}],
        "gender": "female",
        "birthDate": "1980-02-03",
        "managingOrganization": {"reference": "Organization/clinic"},
    },
    {"resourceType": "Patient", "id": "bo", "name": [{"family": "Berg"}], "gender": "male", "birthDate": "1990-01-01"},
    {"resourceType": "Patient", "id": "gone", "name": [{"family": "Gone"}]},
    {
        "resourceType": "Device",
        "id": "scale",
        "deviceName": [{"name": "Alves scale", "type": "user-friendly-name"}],
        "identifier": [{"value": "d-1"}],
    },
    *(
        {
            "resourceType": "Observation",
            "id": f"of-{subject.partition('/')[2]}",
            "status": "final",
            "code": {"text": "x"},
            "subject": {"reference": subject},
        }
        for subject in ("Patient/ana", "Patient/bo", "Device/scale")
    ),
    {
        "resourceType": "Observation",
        "id": "of-a-version",
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": "Patient/ana/_history/1"},
    },
    {
        "resourceType": "Observation",
        "id": "by-identifier",
        "status": "final",
        "code": {"text": "x"},
        "subject": {"identifier": {"value": "1"}},
        "performer": [{"reference": "Patient/bo"}],
    },
    {
        "resourceType": "Observation",
        "id": "by-two",
        "status": "final",
        "code": {"text": "x"},
        "performer": [{"reference": "Patient/ana"}, {"reference": "Patient/bo"}],
    },
    {
        "resourceType": "DiagnosticReport",
        "id": "report",
        "status": "final",
        "code": {"text": "x"},
        "result": [{"reference": "Observation/of-ana"}],
    },
]


@pytest.fixture(autouse=True)
async def stored(fhir: httpx.AsyncClient) -> None:
    await put(fhir, RESOURCES)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("subject:Patient.name=alv", {"of-ana", "of-a-version"}),
        ("subject.name=alv", {"of-ana", "of-a-version"}),
        ("patient.name=alv", {"of-ana", "of-a-version"}),
        ("subject:Patient.name=alv,ber", {"of-ana", "of-a-version", "of-bo"}),
        ("subject:Patient.name:exact=Berg", {"of-bo"}),
        ("subject:Patient.name:contains=LVE", {"of-ana", "of-a-version"}),
        ("subject:Patient.gender:not=female", {"of-bo"}),
        ("subject:Patient.organization:missing=true", {"of-bo"}),
        ("subject:Patient.birthdate=lt1985", {"of-ana", "of-a-version"}),
        ("subject:Patient._id=bo", {"of-bo"}),
        ("subject:Patient._lastUpdated=gt2000", {"of-ana", "of-a-version", "of-bo"}),
        ("subject:Device.device-name=alves", {"of-scale"}),
        ("subject.identifier=d-1", {"of-scale"}),
        ("subject:Patient.organization=clinic", {"of-ana", "of-a-version"}),
        ("subject:Patient.organization.name=cli", {"of-ana", "of-a-version"}),
        ("subject:Patient.organization:Organization.identifier=urn:o%7C1", {"of-ana", "of-a-version"}),
        ("subject:Patient.name=alv&subject:Patient.gender=male", set()),
        ("subject:Patient.name=alv&performer:Patient.name=berg", set()),
        ("performer:Patient.name=berg", {"by-identifier", "by-two"}),
        ("subject:Patient.name=alv&subject:Patient.gender=female&status=final", {"of-ana", "of-a-version"}),
        ("subject:Patient.birthdate=gt1970&subject:Patient.birthdate=lt1985", {"of-ana", "of-a-version"}),
        ("subject:Patient.name=alv&subject:Device.device-name=alves", set()),
        # each may be another of the performers
        ("performer:Patient.name=alv&performer:Patient.gender=male", {"by-two"}),
        ("subject:identifier=1", {"by-identifier"}),
        ("subject:Patient.name=nobody", set()),
    ],
)
async def test_a_chain_asks_what_the_target_says(fhir: httpx.AsyncClient, query: str, expected: set[str]) -> None:
    """http://hl7.org/fhir/R4/search.html#chaining"""
    assert set(await found(fhir, f"Observation?{query}")) == expected
    assert set(await found(fhir, f"Observation?{query}&_sort=-_lastUpdated")) == expected
    assert (await fhir.get(f"Observation?{query}&_summary=count")).json()["total"] == len(expected)
    by_post = await fhir.post(
        "Observation/_search",
        content=query,
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert {entry["resource"]["id"] for entry in by_post.json().get("entry", ())} == expected


async def test_a_chain_goes_over_several_references(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/search.html#chaining"""
    assert set(await found(fhir, "DiagnosticReport?result.subject:Patient.organization.name=clinic")) == {"report"}
    assert set(await found(fhir, "DiagnosticReport?result.subject:Patient.organization.name=other")) == set()


async def test_what_was_deleted_says_nothing_any_more(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/http.html#delete"""
    observation = {
        "resourceType": "Observation",
        "id": "last",
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": "Patient/gone"},
    }
    await put(fhir, [observation])
    assert set(await found(fhir, "Observation?subject:Patient.name=gone")) == {"last"}
    changed = {"resourceType": "Patient", "id": "gone", "name": [{"family": "Other"}]}
    assert (await fhir.put("Patient/gone", json=changed)).status_code == 200
    assert set(await found(fhir, "Observation?subject:Patient.name=gone")) == set()
    assert (
        await fhir.put("Observation/last", json=observation | {"subject": {"reference": "Patient/bo"}})
    ).status_code == 200
    assert set(await found(fhir, "Observation?subject:Patient.name=other")) == set()
    assert (await fhir.delete("Patient/gone")).status_code == 204
    assert set(await found(fhir, "Observation?subject:Patient.name=other")) == set()


@pytest.mark.parametrize(
    "query",
    [
        "subject:Patient.bogus=1",
        "bogus.name=1",
        "subject:Medication.code=1",
        "subject:Bogus.name=1",
        "subject:Patient.name:bogus=1",
        "subject:Patient.=1",
        "status.name=1",
        "subject:Patient.birthdate=never",
        "subject:Patient._sort=name",
        "subject.bogus=1",
        "focus.name=1",
        "subject:Patient.organization.partof.partof.partof.partof.name=x",
    ],
)
async def test_what_leads_nowhere_is_refused(fhir: httpx.AsyncClient, query: str) -> None:
    """http://hl7.org/fhir/R4/search.html#errors"""
    await refused(fhir, f"Observation?{query}")


async def test_a_chain_is_a_criterion_of_conditional_writes(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/http.html#ccreate"""
    new = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    there = await fhir.post("Observation", json=new, headers={"If-None-Exist": "subject:Patient.name=berg"})
    assert (there.status_code, there.json()["id"]) == (200, "of-bo")
    absent = await fhir.post("Observation", json=new, headers={"If-None-Exist": "subject:Patient.name=nobody"})
    assert absent.status_code == 201
    entry = {
        "resource": new | {"derivedFrom": [{"reference": "Observation?subject:Patient.name=berg"}]},
        "request": {"method": "POST", "url": "Observation"},
    }
    answer = await fhir.post("", json={"resourceType": "Bundle", "type": "transaction", "entry": [entry]})
    assert answer.status_code == 200, answer.text
    assert len(await found(fhir, "Observation?derived-from=Observation/of-bo")) == 1
