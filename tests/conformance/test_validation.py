"""Validation on write (http://hl7.org/fhir/R4/http.html#create): 422 with every finding, and nothing stored."""

from typing import Any

import httpx
import pytest

from shared.fhir.json import dumps
from tests.unit.shared.fhir.validate.examples import ABSENT, CARE_PLAN, PATIENT, TASK, changed

JSON = {"content-type": "application/fhir+json"}
FREE = changed(CARE_PLAN, "id", ABSENT)

DEFECTS = [
    (FREE, "status", "bogus", "code-invalid", "CarePlan.status"),
    (FREE, "intent", ABSENT, "required", "CarePlan.intent"),
    (FREE, "colour", "red", "structure", "CarePlan"),
    (FREE, "title", ["a"], "structure", "CarePlan.title"),
    (FREE, "category", {"text": "a"}, "structure", "CarePlan.category"),
    (FREE, "note", [], "structure", "CarePlan.note"),
    (FREE, "period.start", "2024-02-30", "value", "CarePlan.period.start"),
    (FREE, "period.end", "2024-02", "invariant", "CarePlan.period"),
    (FREE, "subject", {"reference": "Practitioner/1"}, "value", "CarePlan.subject.reference"),
    (FREE, "subject", {"reference": "#nobody"}, "invariant", "CarePlan.subject.reference"),
    (FREE, "activity.0.detail", {"status": "scheduled"}, "invariant", "CarePlan.activity[0]"),
    (FREE, "contained.0.lifecycleStatus", "bogus", "code-invalid", "CarePlan.contained[0].lifecycleStatus"),
    (TASK, "input.0.valueString", "six", "structure", "Task.input[0]"),
    (PATIENT, "birthDate", "Feb 1970", "value", "Patient.birthDate"),
    (PATIENT, "active", "yes", "structure", "Patient.active"),
]


@pytest.mark.parametrize(("resource", "path", "value", "code", "expression"), DEFECTS)
async def test_a_defect_is_unprocessable_and_nothing_is_stored(
    fhir: httpx.AsyncClient, resource: dict[str, Any], path: str, value: Any, code: str, expression: str
) -> None:
    type_ = resource["resourceType"]
    answer = await fhir.post(type_, content=dumps(changed(resource, path, value)), headers=JSON)
    assert answer.status_code == 422
    outcome = answer.json()
    assert outcome["resourceType"] == "OperationOutcome"
    assert [(issue["code"], issue["expression"]) for issue in outcome["issue"]] == [(code, [expression])]
    assert (await fhir.get(f"{type_}?_total=accurate")).json()["total"] == 0


async def test_every_finding_is_in_the_outcome(fhir: httpx.AsyncClient) -> None:
    broken = changed(changed(changed(PATIENT, "gender", "bogus"), "birthDate", "x"), "contact.0.telecom", ABSENT)
    broken["contact"][0]["gender"] = "male"
    answer = await fhir.post("Patient", content=dumps(broken), headers=JSON)
    places = [issue["expression"][0] for issue in answer.json()["issue"]]
    assert places == ["Patient.gender", "Patient.birthDate", "Patient.contact[0]"]


async def test_an_update_is_validated_like_a_create(fhir: httpx.AsyncClient) -> None:
    broken = changed(changed(PATIENT, "gender", "bogus"), "id", "anna")
    answer = await fhir.put("Patient/anna", content=dumps(broken), headers=JSON)
    assert answer.status_code == 422
    assert (await fhir.get("Patient/anna")).status_code == 404


async def test_what_was_sent_is_not_repeated(fhir: httpx.AsyncClient) -> None:
    canary = "Canary-Q7x"
    broken = changed(changed(changed(PATIENT, "gender", canary), "birthDate", canary), canary, canary)
    answer = await fhir.post("Patient", content=dumps(broken), headers=JSON)
    assert answer.status_code == 422
    assert canary not in answer.text
