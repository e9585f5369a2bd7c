"""create (http://hl7.org/fhir/R4/http.html#create)."""

import json
import re
from decimal import Decimal

import httpx
import pytest

from tests.factories.resources import care_plan, observation, patient

UUID7 = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")


async def test_the_server_gives_id_version_and_time_and_says_where(fhir: httpx.AsyncClient) -> None:
    answer = await fhir.post("Patient", json=patient(id="mine"))
    body = answer.json()
    assert answer.status_code == 201
    assert UUID7.match(body["id"])
    assert body["meta"]["versionId"] == "1"
    assert answer.headers["etag"] == 'W/"1"'
    assert answer.headers["location"] == f"http://test/fhir/Patient/{body['id']}/_history/1"
    assert answer.headers["content-type"].startswith("application/fhir+json")
    assert "last-modified" in answer.headers


async def test_what_was_sent_is_what_is_read_but_for_id_and_meta(fhir: httpx.AsyncClient) -> None:
    sent = patient(meta={"profile": ["http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient"]})
    created = (await fhir.post("Patient", json=sent)).json()
    read = (await fhir.get(f"Patient/{created['id']}")).json()
    assert read == created
    assert read.pop("meta")["profile"] == sent.pop("meta")["profile"]
    assert {key: value for key, value in read.items() if key != "id"} == sent


async def test_decimals_keep_their_digits(fhir: httpx.AsyncClient) -> None:
    raw = b'{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.10}}'
    created = await fhir.post("Observation", content=raw, headers={"content-type": "application/fhir+json"})
    assert created.status_code == 201
    read = await fhir.get(f"Observation/{created.json()['id']}")
    assert b'"value":1.10}' in read.content


@pytest.mark.parametrize(
    ("prefer", "kind"),
    [("return=minimal", None), ("return=representation", "Patient"), ("return=OperationOutcome", "OperationOutcome")],
)
async def test_prefer_chooses_the_body(fhir: httpx.AsyncClient, prefer: str, kind: str | None) -> None:
    answer = await fhir.post("Patient", json=patient(), headers={"prefer": prefer})
    assert answer.status_code == 201
    assert (answer.json()["resourceType"] if answer.content else None) == kind


async def test_a_reference_to_nothing_is_refused_and_nothing_is_stored(fhir: httpx.AsyncClient) -> None:
    answer = await fhir.post("CarePlan", json=care_plan("Patient/nobody"))
    assert answer.status_code == 422
    assert answer.json()["issue"][0]["expression"] == ["CarePlan.subject"]
    assert (await fhir.get("CarePlan?_total=accurate")).json()["total"] == 0


async def test_a_bogus_status_is_refused_with_its_path(fhir: httpx.AsyncClient) -> None:
    subject = (await fhir.post("Patient", json=patient())).json()["id"]
    answer = await fhir.post("CarePlan", json=care_plan(f"Patient/{subject}", status="bogus"))
    assert answer.status_code == 422
    issue = answer.json()["issue"][0]
    assert issue["expression"] == ["CarePlan.status"]
    assert "bogus" not in answer.text


@pytest.mark.parametrize("number", ["1e999999999", "-1e999999999", "1e-16384", "0e999999999", "0." + "1" * 20_000])
async def test_a_number_that_no_column_holds_is_stored_and_found(fhir: httpx.AsyncClient, number: str) -> None:
    await fhir.put("Patient/robin", json=patient(id="robin"))
    body = json.dumps(observation("Patient/robin", valueQuantity={"value": 0.5, "unit": "x"})).replace("0.5", number)
    created = await fhir.post("Observation", content=body, headers={"content-type": "application/fhir+json"})
    assert created.status_code == 201, created.text
    side = "lt" if number.startswith("-") else "gt" if Decimal(number) else "eq"
    assert (await fhir.get(f"Observation?value-quantity={side}0&_total=accurate")).json()["total"] == 1
