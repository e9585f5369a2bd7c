"""Small resources that are valid by a profile, and one defect each in copies of them."""

from typing import Any, NamedTuple

from shared.fhir.json import Resource
from tests.unit.shared.fhir.validate.examples import ABSENT

US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"
SDOH = "http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/"
BSER = "http://hl7.org/fhir/us/bser/StructureDefinition/"
SDOH_CODES = "http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes"
LOINC, UCUM, SNOMED = "http://loinc.org", "http://unitsofmeasure.org", "http://snomed.info/sct"
OBSERVATIONS = "http://terminology.hl7.org/CodeSystem/observation-category"
IDENTIFIERS = "http://terminology.hl7.org/CodeSystem/v2-0203"
RACE, BIRTH_SEX = f"{US_CORE}us-core-race", f"{US_CORE}us-core-birthsex"
ABSENT_REASON = {
    "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]
}


def concept(system: str, code: str) -> dict[str, Any]:
    """A CodeableConcept of one coding."""
    return {"coding": [{"system": system, "code": code}]}


def _ref(reference: str) -> dict[str, str]:
    return {"reference": reference}


PATIENT: Resource = {
    "resourceType": "Patient",
    "extension": [
        {
            "url": RACE,
            "extension": [
                {"url": "ombCategory", "valueCoding": {"system": "urn:oid:2.16.840.1.113883.6.238", "code": "2106-3"}},
                {"url": "text", "valueString": "White"},
            ],
        },
        {"url": BIRTH_SEX, "valueCode": "F"},
    ],
    "identifier": [{"system": "http://example.org/mrn", "value": "7"}],
    "name": [{"family": "Example"}],
    "telecom": [{"system": "phone", "value": "+1 555 0100"}],
    "gender": "female",
}
CARE_PLAN: Resource = {
    "resourceType": "CarePlan",
    "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">Plan</div>'},
    "status": "active",
    "intent": "plan",
    "category": [concept("http://hl7.org/fhir/us/core/CodeSystem/careplan-category", "assess-plan")],
    "subject": _ref("Patient/anna"),
}
CARE_TEAM: Resource = {
    "resourceType": "CareTeam",
    "status": "active",
    "subject": _ref("Patient/anna"),
    "participant": [{"role": [concept(SNOMED, "17561000")], "member": _ref("Practitioner/p1")}],
}
CONDITION: Resource = {
    "resourceType": "Condition",
    "clinicalStatus": concept("http://terminology.hl7.org/CodeSystem/condition-clinical", "active"),
    "category": [concept("http://terminology.hl7.org/CodeSystem/condition-category", "problem-list-item")],
    "code": concept(SNOMED, "278860009"),
    "subject": _ref("Patient/anna"),
}
PRESSURE: Resource = {
    "resourceType": "Observation",
    "status": "final",
    "category": [concept(OBSERVATIONS, "vital-signs")],
    "code": concept(LOINC, "85354-9"),
    "subject": _ref("Patient/anna"),
    "effectiveDateTime": "2024-03-01",
    "component": [
        {
            "code": concept(LOINC, code),
            "valueQuantity": {"value": value, "unit": "mmHg", "system": UCUM, "code": "mm[Hg]"},
        }
        for code, value in (("8480-6", 120), ("8462-4", 80))
    ],
}
LABORATORY: Resource = {
    "resourceType": "Observation",
    "status": "final",
    "category": [concept(OBSERVATIONS, "laboratory")],
    "code": concept(LOINC, "1988-5"),
    "subject": _ref("Patient/anna"),
    "effectiveDateTime": "2024-03-01",
    "valueQuantity": {"value": 4, "unit": "mg/L", "system": UCUM, "code": "mg/L"},
}
PREGNANCY: Resource = {
    "resourceType": "Observation",
    "status": "final",
    "code": concept(LOINC, "82810-3"),
    "subject": _ref("Patient/anna"),
    "effectiveDateTime": "2024-03-01",
    "valueCodeableConcept": concept(SNOMED, "60001007"),
}
PRACTITIONER: Resource = {
    "resourceType": "Practitioner",
    "identifier": [{"system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567893"}],
    "name": [{"family": "Example"}],
}
ROLE: Resource = {
    "resourceType": "PractitionerRole",
    "practitioner": _ref("Practitioner/p1"),
    "telecom": [{"system": "phone", "value": "+1 555 0100"}],
}
PROVENANCE: Resource = {
    "resourceType": "Provenance",
    "target": [_ref("CarePlan/plan")],
    "recorded": "2024-03-01T09:30:00Z",
    "agent": [
        {
            "type": concept("http://terminology.hl7.org/CodeSystem/provenance-participant-type", "author"),
            "who": _ref("Practitioner/p1"),
            "onBehalfOf": _ref("Organization/o1"),
        }
    ],
}
COVERAGE: Resource = {
    "resourceType": "Coverage",
    "status": "active",
    "subscriberId": "7",
    "beneficiary": _ref("Patient/anna"),
    "relationship": concept("http://terminology.hl7.org/CodeSystem/subscriber-relationship", "self"),
    "payor": [_ref("Organization/o1")],
}
DOCUMENT: Resource = {
    "resourceType": "DocumentReference",
    "status": "current",
    "type": concept("http://terminology.hl7.org/CodeSystem/v3-NullFlavor", "UNK"),
    "category": [concept("http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category", "clinical-note")],
    "subject": _ref("Patient/anna"),
    "content": [{"attachment": {"contentType": "text/plain", "url": "http://example.org/note"}}],
}
PRESCRIPTION: Resource = {
    "resourceType": "MedicationRequest",
    "status": "active",
    "intent": "order",
    "medicationCodeableConcept": {"text": "duloxetine"},
    "subject": _ref("Patient/anna"),
    "requester": _ref("Practitioner/p1"),
}
SDOH_TASK: Resource = {
    "resourceType": "Task",
    "status": "requested",
    "intent": "order",
    "code": concept("http://hl7.org/fhir/CodeSystem/task-code", "fulfill"),
    "focus": _ref("ServiceRequest/physio"),
    "for": _ref("Patient/anna"),
    "authoredOn": "2024-03-01",
    "requester": _ref("Organization/o1"),
    "output": [{"type": concept(SDOH_CODES, "resulting-activity"), "valueReference": _ref("Procedure/walk")}],
}
BSER_TASK: Resource = {
    **SDOH_TASK,
    "identifier": [{"type": concept(IDENTIFIERS, "PLAC"), "value": "1", "assigner": _ref("Organization/o1")}],
    "status": "received",
    "statusReason": {"text": "new"},
    "owner": _ref("Organization/o2"),
    "output": [{"type": {"text": "feedback"}, "valueReference": _ref("Bundle/b")}],
}
CONTACT_TASK: Resource = {
    "resourceType": "Task",
    "status": "ready",
    "intent": "order",
    "priority": "routine",
    "code": concept(SDOH_CODES, "make-contact"),
    "description": "Call the clinic",
    "for": _ref("Patient/anna"),
    "authoredOn": "2024-03-01",
    "requester": _ref("Organization/o1"),
    "owner": _ref("Patient/anna"),
    "focus": _ref("Task/1"),
    "input": [{"type": concept(SDOH_CODES, "contact-entity"), "valueReference": _ref("HealthcareService/h1")}],
}
BSER_REQUEST: Resource = {
    "resourceType": "ServiceRequest",
    "identifier": [{"type": concept(IDENTIFIERS, "PLAC"), "value": "1"}],
    "status": "active",
    "intent": "order",
    "category": [concept(SNOMED, "409063005")],
    "code": concept(SNOMED, "91251008"),
    "subject": _ref("Patient/anna"),
    "requester": _ref("PractitionerRole/r1"),
    "insurance": [_ref("Coverage/c1")],
}
MESSAGE: Resource = {
    "resourceType": "Bundle",
    "type": "message",
    "timestamp": "2024-03-01T09:30:00Z",
    "entry": [
        {
            "fullUrl": "urn:uuid:0d5a1b5e-8a1c-4f0e-9d6e-2f2f2b1d7a01",
            "resource": {
                "resourceType": "MessageHeader",
                "eventCoding": {"system": "http://terminology.hl7.org/CodeSystem/v2-0003", "code": "I12"},
                "destination": [{"endpoint": "http://example.org/in", "receiver": _ref("PractitionerRole/r2")}],
                "sender": _ref("PractitionerRole/r1"),
                "source": {"endpoint": "http://example.org/out"},
                "focus": [_ref("urn:uuid:0d5a1b5e-8a1c-4f0e-9d6e-2f2f2b1d7a02")],
            },
        },
        {"fullUrl": "urn:uuid:0d5a1b5e-8a1c-4f0e-9d6e-2f2f2b1d7a02", "resource": BSER_TASK},
    ],
}

VALID: list[tuple[str, Resource]] = [
    (f"{US_CORE}us-core-patient", PATIENT),
    (f"{US_CORE}us-core-careplan", CARE_PLAN),
    (f"{US_CORE}us-core-careteam", CARE_TEAM),
    (f"{US_CORE}us-core-condition-problems-health-concerns", CONDITION),
    (f"{US_CORE}us-core-blood-pressure", PRESSURE),
    (f"{US_CORE}us-core-vital-signs", PRESSURE),
    (f"{US_CORE}us-core-observation-lab", LABORATORY),
    (f"{US_CORE}us-core-observation-pregnancystatus", PREGNANCY),
    (f"{US_CORE}us-core-practitioner", PRACTITIONER),
    (f"{US_CORE}us-core-practitionerrole", ROLE),
    (f"{US_CORE}us-core-provenance", PROVENANCE),
    (f"{US_CORE}us-core-coverage", COVERAGE),
    (f"{US_CORE}us-core-documentreference", DOCUMENT),
    (f"{US_CORE}us-core-medicationrequest", PRESCRIPTION),
    (f"{US_CORE}us-core-servicerequest", BSER_REQUEST),
    (f"{SDOH}SDOHCC-TaskForReferralManagement", SDOH_TASK),
    (f"{SDOH}SDOHCC-TaskForPatient", CONTACT_TASK),
    (f"{BSER}BSeR-ReferralTask", BSER_TASK),
    (f"{BSER}BSeR-ReferralServiceRequest", BSER_REQUEST),
    (f"{BSER}BSeR-ReferralMessageBundle", MESSAGE),
]


class Defect(NamedTuple):
    """What is changed in the valid resource of a profile, and what must be found, and where."""

    profile: str
    path: str
    value: Any
    code: str
    expression: str
    severity: str = "error"


def _of(base: str, name: str, *rows: tuple[Any, ...]) -> list[Defect]:
    return [Defect(base + name, *row) for row in rows]


_CATEGORY = concept(OBSERVATIONS, "survey")
DEFECTS: list[Defect] = [
    *_of(
        US_CORE,
        "us-core-patient",
        ("identifier", ABSENT, "required", "Patient.identifier"),
        ("identifier.0.system", ABSENT, "required", "Patient.identifier[0].system"),
        ("identifier.0.value", ABSENT, "required", "Patient.identifier[0].value"),
        ("name", ABSENT, "required", "Patient.name"),
        ("name.0", {"text": "Anna"}, "invariant", "Patient.name[0]"),
        ("name.0.extension", ABSENT_REASON["extension"], "invariant", "Patient.name[0]"),
        ("gender", ABSENT, "required", "Patient.gender"),
        ("telecom.0.system", ABSENT, "required", "Patient.telecom[0].system"),
        ("extension.0.extension.1", ABSENT, "required", "Patient.extension[0].extension"),
        (
            "extension.0.extension.0.valueCoding.code",
            "9999-9",
            "code-invalid",
            "Patient.extension[0].extension[0].value.ofType(Coding)",
        ),
        (
            "extension.0.extension.1",
            {"url": "text", "valueCode": "White"},
            "structure",
            "Patient.extension[0].extension[1].value.ofType(code)",
        ),
        ("extension.1.valueCode", "X", "code-invalid", "Patient.extension[1].value.ofType(code)"),
        ("extension.1.url", RACE, "structure", "Patient.extension"),
        ("maritalStatus", concept(SNOMED, "1"), "code-invalid", "Patient.maritalStatus", "warning"),
    ),
    *_of(
        US_CORE,
        "us-core-careplan",
        ("category", ABSENT, "required", "CarePlan.category"),
        ("category.0.coding.0.code", "other", "required", "CarePlan.category"),
        ("category.0.coding.0.system", "http://example.org", "required", "CarePlan.category"),
        ("text.status", "empty", "code-invalid", "CarePlan.text.status"),
    ),
    *_of(
        US_CORE,
        "us-core-careteam",
        ("subject", ABSENT, "required", "CareTeam.subject"),
        ("participant", ABSENT, "required", "CareTeam.participant"),
        ("participant.0.role", ABSENT, "required", "CareTeam.participant[0].role"),
        ("participant.0.member", ABSENT, "required", "CareTeam.participant[0].member"),
    ),
    *_of(
        US_CORE,
        "us-core-condition-problems-health-concerns",
        ("code", ABSENT, "required", "Condition.code"),
        ("category.0.coding.0.code", "encounter-diagnosis", "required", "Condition.category"),
    ),
    *_of(
        US_CORE,
        "us-core-blood-pressure",
        ("category", [_CATEGORY], "required", "Observation.category"),
        ("code.coding.0.code", "8480-6", "value", "Observation.code"),
        ("subject.reference", "Group/g", "value", "Observation.subject"),
        ("effectiveDateTime", ABSENT, "required", "Observation.effective"),
        ("effectiveDateTime", "2024", "invariant", "Observation.effective.ofType(dateTime)"),
        ("component", ABSENT, "required", "Observation.component"),
        ("component.1", ABSENT, "required", "Observation.component"),
        ("component.1.code.coding.0.code", "1234-5", "required", "Observation.component"),
        ("component.0.valueQuantity", ABSENT, "invariant", "Observation.component[0]"),
        ("component.0.valueQuantity.code", "kPa", "value", "Observation.component[0].value.ofType(Quantity).code"),
        ("component.0.valueQuantity.unit", ABSENT, "required", "Observation.component[0].value.ofType(Quantity).unit"),
    ),
    *_of(
        US_CORE,
        "us-core-observation-lab",
        ("valueQuantity", ABSENT, "invariant", "Observation"),
        (
            "valueQuantity",
            {"value": 4, "unit": "mg/L", "system": "http://example.org", "code": "x"},
            "invariant",
            "Observation.value.ofType(Quantity)",
        ),
        ("category.0.coding.0.code", "imaging", "required", "Observation.category"),
    ),
    *_of(
        US_CORE,
        "us-core-observation-pregnancystatus",
        ("valueCodeableConcept", ABSENT, "required", "Observation.value"),
        ("subject.reference", "Device/d", "value", "Observation.subject"),
    ),
    *_of(
        US_CORE,
        "us-core-practitioner",
        ("name.0", {"given": ["Ann"]}, "required", "Practitioner.name[0].family"),
        ("identifier.0.value", "123456789", "invariant", "Practitioner.identifier[0]"),
        ("identifier.0.value", "1234567890", "invariant", "Practitioner.identifier[0]"),
        ("address", [{"line": ["1", "2", "3", "4", "5"]}], "structure", "Practitioner.address[0].line"),
    ),
    *_of(
        US_CORE,
        "us-core-practitionerrole",
        ("telecom", ABSENT, "invariant", "PractitionerRole"),
        ("practitioner", ABSENT, "invariant", "PractitionerRole"),
        ("telecom.0.value", ABSENT, "required", "PractitionerRole.telecom[0].value"),
    ),
    *_of(
        US_CORE,
        "us-core-provenance",
        ("agent.0.onBehalfOf", ABSENT, "invariant", "Provenance.agent[0]"),
        ("agent.0.onBehalfOf.reference", "Practitioner/p2", "value", "Provenance.agent[0].onBehalfOf"),
        ("reason", [concept(SNOMED, "1")], "code-invalid", "Provenance.reason[0]", "warning"),
    ),
    *_of(
        US_CORE,
        "us-core-coverage",
        ("subscriberId", ABSENT, "invariant", "Coverage"),
        ("relationship", ABSENT, "required", "Coverage.relationship"),
        ("payor", [_ref("Organization/1"), _ref("Organization/2")], "structure", "Coverage.payor"),
    ),
    *_of(
        US_CORE,
        "us-core-documentreference",
        ("type", {"text": "note"}, "code-invalid", "DocumentReference.type"),
        ("type.coding.0.system", "http://example.org", "code-invalid", "DocumentReference.type"),
        ("content.0.attachment", {"contentType": "text/plain"}, "invariant", "DocumentReference.content[0].attachment"),
    ),
    *_of(US_CORE, "us-core-medicationrequest", ("requester", ABSENT, "invariant", "MedicationRequest")),
    *_of(
        SDOH,
        "SDOHCC-TaskForReferralManagement",
        ("status", "received", "code-invalid", "Task.status"),
        ("intent", "proposal", "value", "Task.intent"),
        ("code.coding.0.code", "approve", "value", "Task.code"),
        ("focus", ABSENT, "required", "Task.focus"),
        ("focus.reference", "CarePlan/plan", "value", "Task.focus"),
        ("for", ABSENT, "required", "Task.for"),
        ("authoredOn", ABSENT, "required", "Task.authoredOn"),
        ("requester", ABSENT, "required", "Task.requester"),
        ("requester.reference", "Patient/anna", "value", "Task.requester"),
        ("statusReason", concept(SNOMED, "1"), "required", "Task.statusReason.text"),
        ("output.0.valueReference.reference", "Bundle/b", "value", "Task.output[0].value.ofType(Reference)"),
    ),
    *_of(
        SDOH,
        "SDOHCC-TaskForPatient",
        ("status", "received", "code-invalid", "Task.status"),
        ("input", ABSENT, "invariant", "Task"),
        ("description", ABSENT, "invariant", "Task"),
    ),
    *_of(
        BSER,
        "BSeR-ReferralTask",
        ("owner", ABSENT, "required", "Task.owner"),
        ("identifier.0.value", ABSENT, "required", "Task.identifier[0].value"),
        ("identifier.0.assigner.reference", "Patient/anna", "value", "Task.identifier[0].assigner"),
        ("output.0", {"type": {"text": "f"}, "valueString": "x"}, "structure", "Task.output[0].value.ofType(string)"),
        ("businessStatus", concept(SNOMED, "1"), "code-invalid", "Task.businessStatus", "warning"),
    ),
    *_of(
        BSER,
        "BSeR-ReferralServiceRequest",
        ("identifier", ABSENT, "required", "ServiceRequest.identifier"),
        ("identifier.0.type.coding.0.code", "MR", "required", "ServiceRequest.identifier"),
        ("requester.reference", "Practitioner/p1", "value", "ServiceRequest.requester"),
        ("intent", "plan", "value", "ServiceRequest.intent"),
    ),
    *_of(
        BSER,
        "BSeR-ReferralMessageBundle",
        ("type", "collection", "value", "Bundle.type"),
        ("entry.0.resource.eventCoding.code", "I14", "required", "Bundle.entry"),
        ("entry.0.resource.sender", ABSENT, "required", "Bundle.entry"),
    ),
]
