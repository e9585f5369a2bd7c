"""Patient/[id]/$everything over all services (http://hl7.org/fhir/R4/operation-patient-everything.html)."""

from collections.abc import AsyncIterator

import pytest

from tests.factories.edge import Edge, quiet_edge
from tests.factories.resources import observation, patient


@pytest.fixture
async def edge(postgres: str, templates: dict[str, str]) -> AsyncIterator[Edge]:
    """A system without workers that holds a patient, a doctor, an order and an observation."""
    doctor = {"resourceType": "Practitioner", "id": "bay", "name": [{"family": "Bay"}]}
    order = {
        "resourceType": "ServiceRequest",
        "id": "order",
        "status": "active",
        "intent": "order",
        "subject": {"reference": "Patient/robin"},
        "requester": {"reference": "Practitioner/bay"},
        "code": {"text": "Pain clinic"},
    }
    seen = observation("Patient/robin", id="peg", performer=[{"reference": "Practitioner/bay"}])
    of_other = observation("Patient/other", id="hers")
    held = (doctor, patient(id="robin"), patient(id="other"), order, seen, of_other)
    async with quiet_edge(postgres, templates, *held) as running:
        yield running


async def test_what_every_service_has_comes_as_one_bundle(edge: Edge) -> None:
    answer = await edge.ask("GET", "/fhir/Patient/robin/$everything")
    assert answer.status_code == 200
    bundle = answer.json()
    names = [entry["fullUrl"].partition("/fhir/")[2] for entry in bundle["entry"]]
    names = [name for name in names if not name.startswith("Provenance/")]
    assert names[0] == "Patient/robin"
    assert sorted(names) == ["Observation/peg", "Patient/robin", "Practitioner/bay", "ServiceRequest/order"]
    some = (await edge.ask("GET", "/fhir/Patient/robin/$everything?_type=ServiceRequest")).json()
    assert [entry["resource"]["id"] for entry in some["entry"]] == ["order"]
    body = {"resourceType": "Parameters", "parameter": [{"name": "_type", "valueCode": "ServiceRequest"}]}
    assert (await edge.ask("POST", "/fhir/Patient/robin/$everything", json=body)).json()["entry"] == some["entry"]


async def test_refusals_are_those_of_the_patients_service(edge: Edge) -> None:
    assert (await edge.ask("GET", "/fhir/Patient/nobody/$everything")).status_code == 404
    assert (await edge.ask("GET", "/fhir/Patient/robin/$everything?_count=x")).status_code == 400
    assert (await edge.client.get("/fhir/Patient/robin/$everything")).status_code == 401
    assert (await edge.client.post("/fhir/Patient/robin/$everything", json={})).status_code == 401
    assert (await edge.ask("PUT", "/fhir/Patient/robin/$everything", json={})).status_code == 405
