"""Required bindings (http://hl7.org/fhir/R4/terminologies.html#required)."""

from typing import Any

import pytest

from shared.errors import Unprocessable
from shared.fhir.definitions import RESOURCE_TYPES
from shared.fhir.definitions.table import elements
from shared.fhir.json import Resource
from shared.fhir.validate import check
from tests.unit.shared.fhir.validate.examples import CARE_PLAN, CONDITION, PATIENT, TASK, changed
from tests.unit.shared.fhir.validate.instances import minimal

CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"


def findings(resource: Resource) -> list[str]:
    try:
        check(resource)
    except Unprocessable as refused:
        return [f"{issue.code} {issue.expression[0]}" for issue in refused.issues]
    return []


@pytest.mark.parametrize(
    ("resource", "path", "place"),
    [
        (CARE_PLAN, "status", "CarePlan.status"),
        (CARE_PLAN, "activity.1.detail.status", "CarePlan.activity[1].detail.status"),
        (CARE_PLAN, "text.status", "CarePlan.text.status"),
        (TASK, "intent", "Task.intent"),
        (PATIENT, "gender", "Patient.gender"),
        (PATIENT, "contact.0.telecom.0.system", "Patient.contact[0].telecom[0].system"),
    ],
)
def test_a_code_out_of_the_list_is_refused(resource: Resource, path: str, place: str) -> None:
    assert findings(changed(resource, path, "bogus")) == [f"code-invalid {place}"]
    assert findings(changed(resource, path, "Active")) == [f"code-invalid {place}"]
    assert findings(changed(resource, path, " active")) == [f"value {place}"]
    assert findings(changed(resource, path, {"code": "active"})) == [f"structure {place}"]


def test_each_required_status_of_every_type_is_a_closed_list() -> None:
    for type_ in RESOURCE_TYPES:
        for element in elements(type_):
            if element.codes and element.types[0].name == "code":
                value: Any = ["bogus"] if element.many else "bogus"
                suffix = "[0]" if element.many else ""
                found = findings(minimal(type_) | {element.name: value})
                assert f"code-invalid {type_}.{element.name}{suffix}" in found


@pytest.mark.parametrize(
    "concept",
    [
        {"coding": [{"system": CLINICAL, "code": "recurrence"}]},
        {"coding": [{"system": "http://example.org", "code": "x"}, {"system": CLINICAL, "code": "active"}]},
        {"extension": [{"url": "http://example.org/absent", "valueCode": "unknown"}]},
    ],
)
def test_a_concept_with_one_coding_of_the_list_or_a_reason_is_accepted(concept: dict[str, Any]) -> None:
    assert findings(changed(CONDITION, "clinicalStatus", concept)) == []


@pytest.mark.parametrize(
    "concept",
    [
        {"coding": [{"system": CLINICAL, "code": "bogus"}]},
        {"coding": [{"system": "http://example.org", "code": "active"}]},
        {"coding": [{"code": "active"}]},
        {"text": "active"},
    ],
)
def test_a_concept_without_one_is_refused(concept: dict[str, Any]) -> None:
    assert findings(changed(CONDITION, "clinicalStatus", concept)) == ["code-invalid Condition.clinicalStatus"]


def test_codes_of_an_open_list_are_not_judged() -> None:
    assert findings(changed(CARE_PLAN, "category.0.coding.0.code", "anything")) == []
