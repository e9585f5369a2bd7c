"""The R4B models behind the walk."""

import pytest

from shared.fhir.definitions import RESOURCE_TYPES
from shared.fhir.json import Resource
from shared.fhir.validate import check, prepare
from shared.fhir.validate.model import WITHOUT_MODEL, check_model
from shared.fhir.validate.model_schema import model
from tests.unit.shared.fhir.validate.examples import ABSENT, CARE_PLAN, PATIENT, changed

ABSENT_DATA = {
    "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]
}


def test_every_type_has_a_model_or_a_reason_why_not() -> None:
    assert set(WITHOUT_MODEL) < RESOURCE_TYPES
    for type_ in RESOURCE_TYPES - set(WITHOUT_MODEL):
        assert model(type_).__name__ == type_


def test_its_findings_name_the_place_and_no_value() -> None:
    broken = changed(CARE_PLAN, "activity.1.detail.status", 7777)
    issues = list(check_model(broken, {"CarePlan"}))
    assert [issue.expression for issue in issues] == [("CarePlan.activity[1].detail.status",)]
    assert "7777" not in issues[0].text


@pytest.mark.parametrize(
    "resource",
    [
        changed(changed(CARE_PLAN, "status", ABSENT), "_status", ABSENT_DATA),
        changed(PATIENT, "extension", [{"url": "http://example.org/", "valueMeta": {"versionId": "1"}}]),
        changed(PATIENT, "extension", [{"url": "http://example.org/", "valueString": "\u00a0"}]),
        changed(PATIENT, "birthDate", "1970"),
        *(
            changed(PATIENT, "extension", [{"url": "http://example.org/", "valueUuid": f"urn:uuid:{value}"}])
            for value in (
                "01a20a5b-6926-7474-b852-8c8b2a58435a",
                "01a20a5b-6926-1474-0852-8c8b2a58435a",
                "00000000-0000-0000-0000-000000000000",
            )
        ),
        {"resourceType": "Patient"},
        {"resourceType": "Evidence", "status": "active", "exposureBackground": {"reference": "EvidenceVariable/1"}},
        changed(
            CARE_PLAN,
            "contained.0",
            {"resourceType": "SubstancePolymer", "id": "goal", "modification": ["text"]},
        )
        | {"goal": [{"display": "text"}], "supportingInfo": [{"reference": "#goal"}]},
    ],
)
def test_what_r4_allows_is_not_refused_for_r4b(resource: Resource) -> None:
    check(resource)


def test_preparing_any_type_is_fine() -> None:
    prepare(["CarePlan", "SubstancePolymer"])
