"""patch with FHIRPath Patch (http://hl7.org/fhir/R4/http.html#patch, http://hl7.org/fhir/R4/fhirpatch.html)."""

from typing import Any

import httpx
import pytest

from tests.factories.patches import operation, parameters
from tests.factories.resources import observation, patient

MALE = operation("replace", "Patient.gender", value={"valueCode": "male"})


async def _robin(fhir: httpx.AsyncClient, **more: Any) -> None:
    assert (await fhir.put("Patient/robin", json=patient(id="robin", **more))).status_code == 201


async def test_all_operations_in_order(fhir: httpx.AsyncClient) -> None:
    await _robin(fhir)
    answer = await fhir.patch(
        "Patient/robin",
        json=parameters(
            MALE,
            operation("add", "Patient", name="name", value={"valueHumanName": {"use": "official", "text": "R. N."}}),
            operation("insert", "Patient.name.where(use.empty()).given", index=0, value={"valueString": "Ada"}),
            operation("move", "Patient.name", source=1, destination=0),
            operation("delete", "Patient.birthDate"),
        ),
        headers={"content-type": "application/fhir+json"},
    )
    assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"2"')
    found = answer.json()
    assert found["gender"] == "male"
    assert found["name"] == [
        {"use": "official", "text": "R. N."},
        {"family": "Nightingale", "given": ["Ada", "Robin"]},
    ]
    assert "birthDate" not in found
    assert (await fhir.get("Patient/robin")).json() == found


async def test_a_choice_changes_its_type(fhir: httpx.AsyncClient) -> None:
    await _robin(fhir)
    await fhir.put("Observation/peg", json=observation("Patient/robin", id="peg"))
    patch = parameters(operation("replace", "Observation.value", value={"valueString": "six"}))
    found = (await fhir.patch("Observation/peg", json=patch)).json()
    assert found["valueString"] == "six"
    assert "valueQuantity" not in found


@pytest.mark.parametrize(
    ("patch", "status", "where"),
    [
        (parameters(MALE, operation("replace", "Patient.telecom[0].value", value={"valueString": "x"})), 422, 1),
        (parameters(MALE, operation("delete", "Patient.name.given")), 422, 1),
        (parameters(operation("delete", "Patient.name.trace('x')"), MALE), 400, 0),
        (parameters(operation("replace", "Patient.id", value={"valueId": "wren"})), 422, None),
        (parameters(operation("delete", "Patient.id")), 422, None),
        (parameters(operation("replace", "Patient.gender", value={"valueCode": "bogus"})), 422, None),
        (parameters(operation("replace", "Patient.birthDate", value={"valueString": "yesterday"})), 422, None),
        (parameters({"name": "other"}), 400, 0),
        ({"resourceType": "Patient"}, 400, None),
        ([{"op": "remove", "path": "/gender"}], 400, None),
    ],
)
async def test_what_cannot_be_applied_changes_nothing(
    fhir: httpx.AsyncClient, patch: object, status: int, where: int | None
) -> None:
    await _robin(fhir, name=[{"given": ["Robin", "Ada"]}])
    answer = await fhir.patch("Patient/robin", json=patch)
    assert answer.status_code == status
    issue = answer.json()["issue"][0]
    if where is not None:
        assert issue["expression"][0].startswith(f"Parameters.parameter[{where}]")
    assert (await fhir.get("Patient/robin")).headers["etag"] == 'W/"1"'


async def test_meta_that_is_the_servers_stays_so(fhir: httpx.AsyncClient) -> None:
    await _robin(fhir)
    tag = {"valueCoding": {"system": "urn:tags", "code": "pain"}}
    patch = parameters(
        operation("replace", "Patient.meta.versionId", value={"valueId": "77"}),
        operation("delete", "Patient.meta.lastUpdated"),
        operation("add", "Patient.meta", name="tag", value=tag),
    )
    meta = (await fhir.patch("Patient/robin", json=patch)).json()["meta"]
    assert meta["versionId"] == "2"
    assert "lastUpdated" in meta
    assert meta["tag"] == [tag["valueCoding"]]


async def test_by_criteria_and_with_if_match(fhir: httpx.AsyncClient) -> None:
    await _robin(fhir)
    url = "Patient?identifier=urn:oid:1.2.3|p-1"
    stale = await fhir.patch(url, json=parameters(MALE), headers={"if-match": 'W/"7"'})
    fresh = await fhir.patch(url, json=parameters(MALE), headers={"if-match": 'W/"1"'})
    assert (stale.status_code, fresh.status_code) == (412, 200)


@pytest.mark.parametrize(
    "patch",
    [
        parameters(
            operation("delete", "Patient.name"),
            operation("add", "Patient", name="name", value={"valueHumanName": {"given": 5, "_given": [{}]}}),
            operation("add", "Patient.name[0].given[0]", name="id", value={"valueString": "x"}),
        ),
        parameters(
            operation("add", "Patient", name="contained", value={"resource": 5}),
            operation("replace", "Patient.contained[0].name", value={"valueString": "x"}),
        ),
    ],
)
async def test_values_of_the_wrong_shape_are_refused(fhir: httpx.AsyncClient, patch: dict[str, Any]) -> None:
    await _robin(fhir)
    before = (await fhir.get("Patient/robin")).json()
    answer = await fhir.patch("Patient/robin", json=patch, headers={"content-type": "application/fhir+json"})
    (issue,) = answer.json()["issue"]
    last = len(patch["parameter"]) - 1
    assert (answer.status_code, issue["expression"]) == (422, [f"Parameters.parameter[{last}]"])
    assert (await fhir.get("Patient/robin")).json() == before
