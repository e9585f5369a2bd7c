"""Referral Tasks, orders and the people around them; a test overrides what it is about."""

from typing import Any

from shared.security.caller import Caller, Discipline, Role

Resource = dict[str, Any]

BUSINESS_STATUS = "http://hl7.org/fhir/us/bser/CodeSystem/TaskBusinessStatusCS"
REASON = {"text": "Waiting list is too long."}

REQUESTER = Caller("dr-lind", Role.CLINICIAN, Discipline.PAIN_MEDICINE, "Practitioner/lind", "Organization/pain-clinic")
OWNER = Caller("dr-moss", Role.CLINICIAN, Discipline.MENTAL_HEALTH, "Practitioner/moss", "Organization/mind-centre")
STRANGER = Caller("dr-far", Role.CLINICIAN, Discipline.PHYSICAL_THERAPY, "Practitioner/far", "Organization/elsewhere")
COORDINATOR = Caller("co", Role.COORDINATOR, None, "Practitioner/co", "Organization/network")
PATIENT = Caller("p", Role.PATIENT, None, "Patient/p1")
BACK_END = Caller("import", Role.SYSTEM)
REQUESTING_EHR = Caller("ehr-a", Role.SYSTEM, None, None, "Organization/pain-clinic")
OWNING_EHR = Caller("ehr-b", Role.SYSTEM, None, None, "Organization/mind-centre")
FOREIGN_EHR = Caller("ehr-c", Role.SYSTEM, None, None, "Organization/elsewhere")


def concept(system: str, code: str) -> Resource:
    """A CodeableConcept with one coding."""
    return {"coding": [{"system": system, "code": code}]}


def reference(to: str) -> Resource:
    """A literal reference."""
    return {"reference": to}


def business(code: str) -> Resource:
    """A BSeR business status."""
    return concept(BUSINESS_STATUS, code)


def order(**more: Any) -> Resource:
    """An active order: referral to a psychologist."""
    return {
        "resourceType": "ServiceRequest",
        "id": "o1",
        "status": "active",
        "intent": "order",
        "code": concept("http://snomed.info/sct", "308459004"),
        "subject": reference("Patient/p1"),
        "requester": reference("Practitioner/lind"),
        "authoredOn": "2026-03-01",
    } | more


def task(status: str = "requested", bser: str | None = None, **more: Any) -> Resource:
    """A referral in ``status`` with business status ``bser``; None as a value leaves an element out."""
    made = {
        "resourceType": "Task",
        "id": "t1",
        "status": status,
        "intent": "order",
        "code": concept("http://hl7.org/fhir/CodeSystem/task-code", "fulfill"),
        "focus": reference("ServiceRequest/o1"),
        "for": reference("Patient/p1"),
        "authoredOn": "2026-03-01T09:00:00Z",
        "requester": reference("Practitioner/lind"),
        "owner": reference("Organization/mind-centre"),
        "statusReason": REASON,
        "businessStatus": None if bser is None else business(bser),
    } | more
    return {element: value for element, value in made.items() if value is not None}


def practitioner_role(id: str, practitioner: str | None = None, organization: str | None = None) -> Resource:
    """A role of ``practitioner`` in ``organization``."""
    made = {
        "resourceType": "PractitionerRole",
        "id": id,
        "practitioner": reference(practitioner) if practitioner else None,
        "organization": reference(organization) if organization else None,
    }
    return {element: value for element, value in made.items() if value is not None}


def appointment(id: str, **more: Any) -> Resource:
    """A booked visit of the patient at the owner's."""
    return {
        "resourceType": "Appointment",
        "id": id,
        "status": "booked",
        "start": "2026-03-09T09:00:00Z",
        "end": "2026-03-09T10:00:00Z",
        "participant": [
            {"actor": reference("Patient/p1"), "status": "accepted"},
            {"actor": reference("Practitioner/moss"), "status": "accepted"},
        ],
    } | more
