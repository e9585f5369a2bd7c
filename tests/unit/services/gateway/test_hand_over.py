"""What a hand-over document says, and that it holds together: pure."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.documents.answering import LARGEST, MOST_RESOURCES, Size
from services.gateway.documents.assembling import closed
from services.gateway.documents.hand_over import hand_over
from services.gateway.documents.telling import line, narrative
from services.gateway.records import Found
from shared.errors import Invalid
from shared.fhir.json import dumps, loads
from shared.fhir.references import references
from shared.fhir.validate import check
from tests.factories.resources import care_plan

AT = datetime(2026, 3, 1, tzinfo=UTC)


def found(*resources: dict[str, Any]) -> list[Found]:
    return [Found((each["resourceType"], each["id"]), dumps(each)) for each in resources]


@given(st.lists(st.text(), min_size=1))
def test_any_text_makes_a_valid_narrative(lines: list[str]) -> None:
    """http://hl7.org/fhir/R4/narrative.html#xhtml"""
    text = narrative(["Words", *lines])
    check(care_plan("Patient/a", text=text))
    assert text == narrative(["Words", *lines])


def test_nothing_is_said_to_be_nothing() -> None:
    check(care_plan("Patient/a", text=narrative([])))


@pytest.mark.parametrize(
    ("resource", "told"),
    [
        (
            {"resourceType": "Goal", "lifecycleStatus": "active", "description": {"coding": [{"code": "x"}]}},
            "x; status: active",
        ),
        (
            {
                "resourceType": "Observation",
                "code": {"text": "PEG"},
                "valueQuantity": {"value": 6.3, "unit": "score", "comparator": ">"},
            },
            "PEG > 6.3 score",
        ),
        ({"resourceType": "Condition", "subject": {}}, "Without a name"),
        (
            {"resourceType": "CareTeam", "participant": [{"member": {"reference": "Practitioner/a"}}, {"role": []}]},
            "Care team; Ann Bay; Without a name",
        ),
        (
            {"resourceType": "ServiceRequest", "status": "active", "performer": [{"reference": "PractitionerRole/r"}]},
            "Order; status: active; for: Ann Bay, Clinic",
        ),
        (
            {
                "resourceType": "MedicationRequest",
                "status": "active",
                "medicationReference": {"display": "Duloxetine"},
                "dosageInstruction": [{"text": "60 mg"}],
            },
            "Duloxetine; status: active; 60 mg",
        ),
        ({"resourceType": "Device"}, "Device"),
    ],
)
def test_a_resource_in_a_line(resource: dict[str, Any], told: str) -> None:
    known = {
        ("Practitioner", "a"): {"resourceType": "Practitioner", "name": [{"family": "Bay", "given": ["Ann"]}]},
        ("Organization", "o"): {"resourceType": "Organization", "name": "Clinic"},
        ("PractitionerRole", "r"): {
            "resourceType": "PractitionerRole",
            "practitioner": {"reference": "Practitioner/a"},
            "organization": {"reference": "Organization/o"},
        },
    }
    assert line(resource, known) == told


def test_references_that_lead_out_are_cut_and_others_left() -> None:
    patient = {"resourceType": "Patient", "id": "a", "meta": {"versionId": "2"}}
    plan = care_plan(
        "Patient/a",
        id="p",
        author={"reference": "Practitioner/gone", "display": "Dr Bay"},
        contributor=[{"reference": "Practitioner/gone", "identifier": {"value": "1"}}],
        addresses=[{"reference": "Condition/gone"}, {"reference": "http://elsewhere.example/Condition/1"}],
        supportingInfo=[{"reference": "Patient/a/_history/2"}, {"reference": "Patient/a/_history/1"}],
    )
    given = found(patient, plan)
    whole, cut = closed(given)
    assert whole is given[0]
    made = loads(cut.resource)
    assert made["author"] == {"display": "Dr Bay", "type": "Practitioner"}
    assert made["contributor"] == [{"identifier": {"value": "1"}, "type": "Practitioner"}]
    left = ["Patient/a", "http://elsewhere.example/Condition/1", "Patient/a/_history/2"]
    assert sorted(references(made)) == sorted(left)
    assert made["meta"]["tag"][0]["code"] == "SUBSETTED"
    check(made)


def test_a_plan_without_anything_makes_a_valid_composition() -> None:
    plan = care_plan("Patient/a", id="p", author={"reference": "CareTeam/t"})
    made = hand_over(("CarePlan", "p"), closed(found(plan)), base="http://test/fhir", at=AT)
    check(made)
    assert made["author"] == [{"display": "Consilium"}]
    assert made == hand_over(("CarePlan", "p"), closed(found(plan)), base="http://test/fhir", at=AT)


@pytest.mark.parametrize("parts", [[MOST_RESOURCES, 1], [1] * (MOST_RESOURCES + 1)])
def test_a_document_of_too_many_resources_is_refused(parts: list[int]) -> None:
    size = Size()
    for number in parts[:-1]:
        assert len(size.counted([Found(("Goal", "g"), b"{}")] * number)) == number
    with pytest.raises(Invalid) as refused:
        size.counted([Found(("Goal", "g"), b"{}")] * parts[-1])
    assert refused.value.issues[0].code == "too-costly"


def test_a_document_of_too_many_bytes_is_refused() -> None:
    size = Size()
    size.counted([Found(("Goal", "g"), b"x" * LARGEST)])
    with pytest.raises(Invalid):
        size.counted([Found(("Goal", "h"), b"x")])
