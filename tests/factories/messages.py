"""Referral messages (BSeR, 360X)."""

from typing import Any

from tests.factories.resources import patient

SENDER = "http://ehr.example.org/fhir"
EVENT = {"system": "http://terminology.hl7.org/CodeSystem/v2-0003", "code": "I12"}
PERSON = {"system": "urn:oid:9.9.9", "value": "robin"}


def message(number: str, status: str = "requested", **task: Any) -> dict[str, Any]:
    """The message ``number`` about one referral of a patient that the sender knows as ``Patient/p``."""
    resources: list[dict[str, Any]] = [
        {
            "resourceType": "MessageHeader",
            "id": f"header-{number}",
            "eventCoding": EVENT,
            "source": {"endpoint": SENDER},
            "focus": [{"reference": "Task/t"}],
        },
        patient(id="p", identifier=[PERSON]),
        {
            "resourceType": "ServiceRequest",
            "id": "s",
            "status": "active",
            "intent": "order",
            "code": {"coding": [{"system": "http://snomed.info/sct", "code": "308459004"}]},
            "subject": {"reference": "Patient/p"},
            "requester": {"reference": "Organization/o"},
        },
        {
            "resourceType": "Task",
            "id": "t",
            "status": status,
            "intent": "order",
            "code": {"coding": [{"system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "fulfill"}]},
            "focus": {"reference": "ServiceRequest/s"},
            "for": {"reference": "Patient/p"},
            "authoredOn": "2026-03-01T09:00:00Z",
            "requester": {"reference": "Organization/o"},
            "owner": {"reference": "PractitionerRole/elsewhere"},
        }
        | task,
        {
            "resourceType": "Organization",
            "id": "o",
            "name": "The sender",
            "identifier": [{"system": "urn:x", "value": "o"}],
        },
    ]
    entries = [{"fullUrl": f"{SENDER}/{one['resourceType']}/{one['id']}", "resource": one} for one in resources]
    return {"resourceType": "Bundle", "type": "message", "entry": entries}
