"""References: what they may point to, and which are local (http://hl7.org/fhir/R4/references.html)."""

from typing import Any

import pytest

from shared.errors import Unprocessable
from shared.fhir.json import Resource
from shared.fhir.validate import LocalReference, check
from tests.unit.shared.fhir.validate.examples import CARE_PLAN, TASK, changed


def test_every_local_literal_reference_is_returned_with_its_place() -> None:
    assert set(check(CARE_PLAN)) == {
        LocalReference("CarePlan.contained[0].subject", "Patient", "anna"),
        LocalReference("CarePlan.subject", "Patient", "anna"),
        LocalReference("CarePlan.careTeam[0]", "CareTeam", "team"),
        LocalReference("CarePlan.addresses[0]", "Condition", "pain"),
        LocalReference("CarePlan.activity[0].reference", "ServiceRequest", "physio"),
        LocalReference("CarePlan.note[0].author.ofType(Reference)", "Practitioner", "p1"),
    }


@pytest.mark.parametrize(
    "reference",
    [
        {"reference": "https://example.org/fhir/Patient/1"},
        {"reference": "https://example.org/fhir/Patient/1/_history/2"},
        {"reference": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"},
        {"reference": "HTTPS://example.org/fhir/Patient/1"},
        {"reference": "ftp://example.org/anna"},
        {"identifier": {"system": "http://example.org", "value": "1"}},
        {"display": "Anna"},
        {"type": "Patient", "display": "Anna"},
        {"type": "http://example.org/StructureDefinition/Person", "display": "Anna"},
        {"extension": [{"url": "http://example.org/why", "valueString": "unknown"}]},
        {"reference": "https://example.org/people/anna"},
    ],
)
def test_other_references_are_fine_and_not_local(reference: Resource) -> None:
    paths = [found.path for found in check(changed(CARE_PLAN, "subject", reference))]
    assert "CarePlan.subject" not in paths


@pytest.mark.parametrize(
    ("path", "reference", "place"),
    [
        ("subject", {"reference": "Practitioner/1"}, "CarePlan.subject.reference"),
        ("subject", {"reference": "https://example.org/fhir/Practitioner/1"}, "CarePlan.subject.reference"),
        ("subject", {"reference": "HTTP://example.org/fhir/Practitioner/1"}, "CarePlan.subject.reference"),
        ("subject", {"reference": "Person/1/_history/1"}, "CarePlan.subject.reference"),
        ("subject", {"reference": "Unheard/1"}, "CarePlan.subject.reference"),
        ("subject", {"type": "Practitioner", "display": "Anna"}, "CarePlan.subject.type"),
        ("subject", {"reference": "Patient/1", "type": "Group"}, "CarePlan.subject.type"),
        ("careTeam.0", {"reference": "Patient/1"}, "CarePlan.careTeam[0].reference"),
        ("activity.0.reference", {"reference": "Goal/1"}, "CarePlan.activity[0].reference.reference"),
        ("goal.0", {"reference": "Goal/1", "type": "Task"}, "CarePlan.goal[0].type"),
    ],
)  # fmt: skip
def test_a_reference_to_a_type_that_r4_does_not_allow_there_is_refused(path: str, reference: Any, place: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        check(changed(CARE_PLAN, path, reference))
    assert refused.value.issues[0].code == "value"
    assert refused.value.issues[0].expression == (place,)


@pytest.mark.parametrize(
    "literal",
    [
        "Patient/1?a",
        "Patient/1#a",
        "Patient/1/",
        "/Patient/1",
        "./Patient/1",
        "../fhir/Patient/1",
        "//example.org/fhir/Patient/1",
        " Patient/1",
        "Patient/1 ",
        "Patient//1",
        "Patient",
        "1",
        "Patient/a_b",
        "Patient/" + "1" * 65,
        "Patient/1/_history",
        "Patient/1/_history/",
        "Patient?identifier=http://example.org|1",
        " http://example.org/fhir/Patient/1",
        "http:Patient/1",
        "http:/example.org/Patient/1",
        "http:///Patient/1",
        "HTTP:\\\\example.org\\Patient\\1",
        "https://example.org/a b",
        "patient/1",
    ],
)
def test_what_is_no_literal_reference_is_refused(literal: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        check(changed(CARE_PLAN, "subject", {"reference": literal}))
    assert [(issue.code, issue.expression) for issue in refused.value.issues] == [
        ("value", ("CarePlan.subject.reference",))
    ]


def test_a_transaction_that_is_kept_may_hold_conditional_references() -> None:
    entries = [{"resource": changed(CARE_PLAN, "subject", {"reference": "Patient?identifier=1"})}]
    kept = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    check(kept)
    entries[0]["resource"]["subject"]["reference"] = "Practitioner?identifier=1"
    with pytest.raises(Unprocessable):
        check(kept)


def test_any_resource_may_be_referred_to_where_r4_names_no_type() -> None:
    check(changed(TASK, "focus", {"reference": "EffectEvidenceSynthesis/1"}))


def test_a_fragment_must_be_contained() -> None:
    with pytest.raises(Unprocessable) as refused:
        check(changed(CARE_PLAN, "subject", {"reference": "#anna"}))
    assert [(issue.code, issue.expression[0]) for issue in refused.value.issues] == [
        ("invariant", "CarePlan.subject.reference")
    ]


def test_a_fragment_must_be_of_an_allowed_type() -> None:
    with pytest.raises(Unprocessable) as refused:
        check(changed(CARE_PLAN, "subject", {"reference": "#goal"}))
    assert refused.value.issues[0].code == "value"


def test_fragments_are_resolved_within_their_own_resource() -> None:
    entries = [{"resource": CARE_PLAN}, {"resource": changed(TASK, "focus", {"reference": "#goal"})}]
    with pytest.raises(Unprocessable) as refused:
        check({"resourceType": "Bundle", "type": "collection", "entry": entries})
    assert [issue.expression[0] for issue in refused.value.issues] == ["Bundle.entry[1].resource.focus.reference"]


def test_a_contained_resource_may_refer_to_its_container() -> None:
    observation = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "focus": [{"reference": "#"}],
    }
    check(changed(TASK, "contained", [observation]))
