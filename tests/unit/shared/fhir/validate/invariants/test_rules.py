"""Each invariant, on an object that keeps it and on one that breaks it."""

from decimal import Decimal
from typing import Any

import pytest

from shared.errors import Unprocessable
from shared.fhir.definitions.table import elements
from shared.fhir.json import Resource
from shared.fhir.validate import check
from shared.fhir.validate.invariants import INVARIANTS
from tests.unit.shared.fhir.validate.examples import CARE_PLAN, CONDITION, OBSERVATION, SERVICE_REQUEST, TASK, changed

UCUM = "http://unitsofmeasure.org"
ONE: dict[str, Any] = {"text": "one"}
CODED = {"coding": [{"system": "http://loinc.org", "code": "1"}]}


def status(kind: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/condition-{kind}", "code": code}]}


def contained(**members: Any) -> dict[str, Any]:
    return {"contained": [{"resourceType": "Basic", "id": "b", "code": ONE} | members], "subject": {"reference": "#b"}}


def bundle(type_: str, *entries: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": type_, "entry": list(entries)} | members


BASIC = {"resource": {"resourceType": "Basic"}}
COMPOSITION = {"resource": {"resourceType": "Composition"}}

CASES: dict[tuple[str, str], tuple[dict[str, Any], dict[str, Any]]] = {
    ("ext-1", "Extension"): ({"valueCode": "a"}, {"valueCode": "a", "extension": []}),
    ("per-1", "Period"): ({"start": "2024-03", "end": "2024-03-01"}, {"start": "2024-03", "end": "2024-02-28"}),
    ("qty-3", "Quantity"): ({"code": "mg", "system": UCUM}, {"code": "mg"}),
    ("qty-3", "SimpleQuantity"): ({"value": 1}, {"value": 1, "code": "mg"}),
    ("qty-3", "Age"): ({"code": "a", "system": UCUM}, {"code": "a"}),
    ("qty-3", "Count"): ({"code": "1", "system": UCUM}, {"code": "1"}),
    ("qty-3", "Distance"): ({"code": "m", "system": UCUM}, {"code": "m"}),
    ("qty-3", "Duration"): ({"code": "h", "system": UCUM}, {"code": "h"}),
    ("rng-2", "Range"): ({"low": {"value": 1}, "high": {"value": 1}}, {"low": {"value": 2}, "high": {"value": 1}}),
    ("rat-1", "Ratio"): ({"numerator": {}, "denominator": {}}, {"numerator": {}}),
    ("age-1", "Age"): ({"value": 1, "code": "a", "system": UCUM}, {"value": 0, "code": "a"}),
    ("cnt-3", "Count"): ({"value": 2, "code": "1"}, {"value": Decimal("2.5"), "code": "1"}),
    ("dis-1", "Distance"): ({"value": 2, "code": "m"}, {"value": 2}),
    ("drt-1", "Duration"): ({"value": 2, "code": "h", "system": UCUM}, {"code": "h", "system": UCUM}),
    ("cpt-2", "ContactPoint"): ({"value": "1", "system": "phone"}, {"value": "1"}),
    ("att-1", "Attachment"): ({"data": "QQ==", "contentType": "text/plain"}, {"data": "QQ=="}),
    ("exp-1", "Expression"): ({"reference": "urn:x"}, {"language": "text/cql"}),
    ("trd-1", "TriggerDefinition"): ({"data": [{}]}, {"data": [{}], "timingDate": "2024"}),
    ("trd-2", "TriggerDefinition"): ({"condition": {}, "data": [{}]}, {"condition": {}}),
    ("trd-3", "TriggerDefinition"): ({"type": "data-added", "data": [{}]}, {"type": "periodic"}),
    ("drq-1", "DataRequirement.codeFilter"): ({"path": "code"}, {"path": "code", "searchParam": "code"}),
    ("drq-2", "DataRequirement.dateFilter"): ({"searchParam": "date"}, {"valuePeriod": {}}),
    ("tim-1", "Timing.repeat"): ({"duration": 1, "durationUnit": "h"}, {"duration": 1}),
    ("tim-2", "Timing.repeat"): ({"period": 1, "periodUnit": "d"}, {"period": 1}),
    ("tim-4", "Timing.repeat"): ({"duration": 0}, {"duration": -1}),
    ("tim-5", "Timing.repeat"): ({"period": Decimal("0.5")}, {"period": -1}),
    ("tim-6", "Timing.repeat"): ({"periodMax": 2, "period": 1}, {"periodMax": 2}),
    ("tim-7", "Timing.repeat"): ({"durationMax": 2, "duration": 1}, {"durationMax": 2}),
    ("tim-8", "Timing.repeat"): ({"countMax": 2, "count": 1}, {"countMax": 2}),
    ("tim-9", "Timing.repeat"): ({"offset": 5, "when": ["ACM"]}, {"offset": 5, "when": ["C"]}),
    ("tim-10", "Timing.repeat"): ({"when": ["ACM"]}, {"when": ["ACM"], "timeOfDay": ["10:00:00"]}),
    ("dom-2", "DomainResource"): (contained(), contained(contained=[{"resourceType": "Basic"}])),
    ("dom-3", "DomainResource"): (contained(), contained() | {"subject": {"reference": "Patient/1"}}),
    ("dom-4", "DomainResource"): (contained(meta={"tag": [{}]}), contained(meta={"versionId": "1"})),
    ("dom-5", "DomainResource"): (contained(meta={"tag": [{}]}), contained(meta={"security": [{}]})),
    ("bdl-1", "Bundle"): (bundle("searchset", total=0), bundle("collection", total=0)),
    ("bdl-2", "Bundle"): (bundle("searchset", {"search": {}}), bundle("collection", {"search": {}})),
    ("bdl-3", "Bundle"): (bundle("batch", {"request": {}}), bundle("collection", {"request": {}})),
    ("bdl-4", "Bundle"): (bundle("history", {"response": {}}), bundle("batch-response", BASIC)),
    ("bdl-5", "Bundle.entry"): (BASIC, {"fullUrl": "urn:x"}),
    ("bdl-7", "Bundle"): (bundle("collection", {"fullUrl": "a"}), bundle("batch", {"fullUrl": "a"}, {"fullUrl": "a"})),
    ("bdl-8", "Bundle.entry"): ({"fullUrl": "http://x/Basic/1"}, {"fullUrl": "http://x/Basic/1/_history/1"}),
    ("bdl-9", "Bundle"): (bundle("document", identifier={"system": "a", "value": "b"}), bundle("document")),
    ("bdl-10", "Bundle"): (bundle("document", timestamp="x"), bundle("document")),
    ("bdl-11", "Bundle"): (bundle("document", COMPOSITION, BASIC), bundle("document", BASIC, COMPOSITION)),
    ("bdl-12", "Bundle"): (bundle("collection", BASIC), bundle("message", BASIC)),
    ("inv-1", "Parameters.parameter"): ({"valueCode": "a"}, {"valueCode": "a", "part": [{}]}),
    ("cpl-3", "CarePlan.activity"): ({"detail": {}}, {"detail": {}, "reference": {}}),
    ("ctm-1", "CareTeam.participant"): (
        {"onBehalfOf": {}, "member": {"reference": "Practitioner/1"}},
        {"onBehalfOf": {}, "member": {"reference": "Patient/1"}},
    ),
    ("gol-1", "Goal.target"): ({"detailString": "a", "measure": ONE}, {"detailString": "a"}),
    ("con-1", "Condition.stage"): ({"summary": ONE}, {"type": ONE}),
    ("con-2", "Condition.evidence"): ({"code": [ONE]}, {"extension": [{}]}),
    ("con-4", "Condition"): (
        {"abatementString": "a", "clinicalStatus": status("clinical", "remission")},
        {"abatementString": "a", "clinicalStatus": status("clinical", "active")},
    ),
    ("con-5", "Condition"): (
        {"verificationStatus": status("ver-status", "entered-in-error")},
        {"verificationStatus": status("ver-status", "entered-in-error"), "clinicalStatus": ONE},
    ),
    ("obs-3", "Observation.referenceRange"): ({"text": "a"}, {"type": ONE}),
    ("obs-6", "Observation"): ({"dataAbsentReason": ONE}, {"dataAbsentReason": ONE, "valueInteger": 1}),
    ("obs-7", "Observation"): (
        {"code": CODED, "component": [{"code": CODED}]},
        {"code": CODED, "component": [{"code": CODED}], "valueInteger": 1},
    ),
    ("pat-1", "Patient.contact"): ({"name": ONE}, {"gender": "other"}),
    ("ppc-1", "Consent"): ({"policy": [{}]}, {"status": "active"}),
    ("mad-1", "MedicationAdministration.dosage"): ({"rateRatio": {}}, {"text": "a"}),
    ("mdd-1", "MedicationDispense"): (
        {"whenPrepared": "2024-01-01", "whenHandedOver": "2024-01-01"},
        {"whenPrepared": "2024-01-02", "whenHandedOver": "2024-01-01"},
    ),
    ("qrs-1", "QuestionnaireResponse.item"): ({"item": [{}]}, {"item": [{}], "answer": [{}]}),
    ("prr-1", "ServiceRequest"): ({"orderDetail": [ONE], "code": ONE}, {"orderDetail": [ONE]}),
    ("que-1", "Questionnaire.item"): ({"type": "group", "item": [{}]}, {"type": "display", "item": [{}]}),
    ("que-2", "Questionnaire"): (
        {"item": [{"linkId": "1", "item": [{"linkId": "1.1"}]}, {"linkId": "2"}]},
        {"item": [{"linkId": "1", "item": [{"linkId": "2"}]}, {"linkId": "2"}]},
    ),
    ("que-3", "Questionnaire.item"): ({"type": "group", "code": [{}]}, {"type": "display", "code": [{}]}),
    ("que-4", "Questionnaire.item"): ({"answerOption": [{}]}, {"answerOption": [{}], "answerValueSet": "a"}),
    ("que-5", "Questionnaire.item"): ({"type": "choice", "answerOption": [{}]}, {"type": "text", "answerOption": [{}]}),
    ("que-6", "Questionnaire.item"): ({"type": "display"}, {"type": "display", "repeats": False}),
    ("que-7", "Questionnaire.item.enableWhen"): (
        {"operator": "exists", "answerBoolean": True},
        {"operator": "exists", "answerString": "a"},
    ),
    ("que-8", "Questionnaire.item"): ({"type": "string", "initial": [{}]}, {"type": "group", "initial": [{}]}),
    ("que-9", "Questionnaire.item"): ({"type": "string", "readOnly": True}, {"type": "display", "readOnly": True}),
    ("que-10", "Questionnaire.item"): ({"type": "string", "maxLength": 5}, {"type": "date", "maxLength": 5}),
    ("que-11", "Questionnaire.item"): ({"initial": [{}]}, {"initial": [{}], "answerOption": [{}]}),
    ("que-12", "Questionnaire.item"): ({"enableWhen": [{}, {}]}, {"enableWhen": [{}, {}, {}]}),
    ("que-13", "Questionnaire.item"): ({"repeats": True, "initial": [{}, {}]}, {"initial": [{}, {}]}),
    ("inv-1", "Task"): (
        {"authoredOn": "2024-01-01", "lastModified": "2024-01-01T10:00:00Z"},
        {"authoredOn": "2024-01-01T10:00:00Z", "lastModified": "2024-01-01T10:00:00+01:00"},
    ),
    ("app-1", "Appointment.participant"): ({"actor": {}}, {"status": "accepted"}),
    ("app-2", "Appointment"): ({"start": "a", "end": "b"}, {"start": "a"}),
    ("app-3", "Appointment"): ({"status": "waitlist"}, {"status": "booked"}),
    ("app-4", "Appointment"): (
        {"status": "noshow", "cancelationReason": ONE},
        {"status": "booked", "cancelationReason": ONE},
    ),
    ("apr-1", "AppointmentResponse"): ({"participantType": [ONE]}, {"comment": "a"}),
    ("org-1", "Organization"): ({"identifier": [{}]}, {"active": True}),
    ("org-2", "Organization"): ({"address": [{"use": "work"}]}, {"address": [{"use": "work"}, {"use": "home"}]}),
    ("org-3", "Organization"): ({"telecom": [{"use": "work"}]}, {"telecom": [{"use": "home"}]}),
}


def test_every_rule_has_a_case_and_stands_once() -> None:
    assert sorted(CASES) == sorted((rule.id, rule.context) for rule in INVARIANTS)


def test_every_rule_stands_on_something_that_r4_defines() -> None:
    assert all(elements(rule.context) for rule in INVARIANTS)


@pytest.mark.parametrize("rule", INVARIANTS, ids=lambda rule: f"{rule.context} {rule.id}")
def test_a_rule_tells_what_keeps_it_from_what_breaks_it(rule: Any) -> None:
    kept, broken = CASES[rule.id, rule.context]
    assert rule.holds(kept)
    assert not rule.holds(broken)


WHOLE: list[tuple[Resource, str, Any, str, str]] = [
    (CARE_PLAN, "activity.0.detail", {"status": "scheduled"}, "cpl-3", "CarePlan.activity[0]"),
    (CARE_PLAN, "period.end", "2024-02", "per-1", "CarePlan.period"),
    (CARE_PLAN, "activity.1.detail.scheduledTiming.repeat.duration", 1, "tim-1",
     "CarePlan.activity[1].detail.scheduled.ofType(Timing).repeat"),
    (CARE_PLAN, "contained.0.meta", {"versionId": "1"}, "dom-4", "CarePlan"),
    (CARE_PLAN, "extension.0.extension", [{"url": "a", "valueCode": "b"}], "ext-1", "CarePlan.extension[0]"),
    (TASK, "lastModified", "2024-02-01", "inv-1", "Task"),
    (CONDITION, "abatementDateTime", "2024", "con-4", "Condition"),
    (CONDITION, "onsetAge.value", 0, "age-1", "Condition.onset.ofType(Age)"),
    (OBSERVATION, "dataAbsentReason", ONE, "obs-6", "Observation"),
    (SERVICE_REQUEST, "code", {"extension": [{"url": "a", "valueCode": "b"}]}, "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("resource", "path", "value", "rule", "place"), WHOLE)
def test_a_broken_rule_is_told_with_its_name_and_place(
    resource: Resource, path: str, value: Any, rule: str, place: str
) -> None:
    broken = changed(resource, path, value)
    if not rule:
        check(broken)
        return
    with pytest.raises(Unprocessable) as refused:
        check(broken)
    (issue,) = refused.value.issues
    assert (issue.code, issue.expression) == ("invariant", (place,))
    assert f"({rule})" in issue.text
