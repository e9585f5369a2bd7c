"""What the bench stores: patients and CarePlans of about 2.7 kB, made from a seed, with realistic codes."""

import json
import random
from typing import Any

Resource = dict[str, Any]
_STATUS = ("active", "active", "active", "completed", "revoked", "on-hold")
_CATEGORIES = ("assess-plan", "pain-management", "mental-health", "rehabilitation")
_ACTIVITIES = ("228557008", "91251008", "229065009", "409073007", "408289007", "18512000")


def patient(number: int) -> Resource:
    """Patient ``bench-<number>``."""
    return {
        "resourceType": "Patient",
        "id": f"bench-{number}",
        "identifier": [{"system": "urn:oid:2.16.840.1.113883.19.5", "value": f"b{number}"}],
        "name": [{"family": f"Family{number % 977}", "given": [f"Given{number % 389}"]}],
        "gender": ("female", "male", "other")[number % 3],
        "birthDate": f"19{40 + number % 60}-0{1 + number % 9}-1{number % 10}",
    }


def plan(number: int, patients: int) -> Resource:
    """A plan for one of ``patients``."""
    chance = random.Random(number)
    return {
        "resourceType": "CarePlan",
        "meta": {"profile": ["http://hl7.org/fhir/us/core/StructureDefinition/us-core-careplan"]},
        "text": {
            "status": "generated",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{"One plan of several disciplines. " * 27}</div>',
        },
        "identifier": [{"system": "https://consilium.care/bench", "value": f"plan-{number}"}],
        "status": chance.choice(_STATUS),
        "intent": "plan",
        "category": [
            {
                "coding": [
                    {
                        "system": "http://hl7.org/fhir/us/core/CodeSystem/careplan-category",
                        "code": chance.choice(_CATEGORIES),
                    }
                ]
            }
        ],
        "title": "Shared care plan",
        "subject": {"reference": f"Patient/bench-{number % patients}"},
        "period": {"start": f"202{chance.randrange(7)}-0{1 + chance.randrange(9)}-1{chance.randrange(10)}"},
        "created": f"2026-0{1 + chance.randrange(9)}-0{1 + chance.randrange(9)}",
        "activity": [
            {
                "detail": {
                    "kind": "ServiceRequest",
                    "code": {"coding": [{"system": "http://snomed.info/sct", "code": code}]},
                    "status": "in-progress",
                    "description": "Weekly, adapted to what the last week brought.",
                }
            }
            for code in chance.sample(_ACTIVITIES, 5)
        ],
        "note": [{"text": "Agreed by all disciplines at the last meeting. " * 4}],
    }


def transaction(number: int) -> Resource:
    """Five new resources about one new patient."""
    url = f"urn:uuid:00000000-0000-4000-8000-{number:012d}"
    person = patient(1_000_000 + number)
    del person["id"]
    observed = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "91147-9"}]},
        "subject": {"reference": url},
        "effectiveDateTime": "2026-02-03T10:00:00Z",
        "valueQuantity": {"value": 6.3, "unit": "{score}", "system": "http://unitsofmeasure.org", "code": "{score}"},
    }
    condition = {
        "resourceType": "Condition",
        "clinicalStatus": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]
        },
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "82423001"}]},
        "subject": {"reference": url},
    }
    resources = [person, condition, observed, observed, plan(number, 1) | {"subject": {"reference": url}}]
    entries: list[Resource] = [
        {"resource": r, "request": {"method": "POST", "url": r["resourceType"]}} for r in resources
    ]
    entries[0] |= {"fullUrl": url}
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


OWNER = "Organization/bench-mind"
REQUESTER = "Practitioner/bench-pain"


def parties() -> list[Resource]:
    """The directory entries that ``referral`` names."""
    return [
        {"resourceType": "Organization", "id": "bench-mind", "name": "Mind clinic"},
        {"resourceType": "Practitioner", "id": "bench-pain"},
    ]


def referral(number: int) -> Resource:
    """A referral of patient ``bench-<number>`` to mental health: ServiceRequest and Task."""
    order = f"urn:uuid:00000000-0000-4000-9000-{number:012d}"
    subject: Resource = {"reference": f"Patient/bench-{number}"}
    request = {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "subject": subject,
        "requester": {"reference": REQUESTER},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "390866009"}]},
    }
    task = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "code": {"coding": [{"system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "fulfill"}]},
        "focus": {"reference": order},
        "for": subject,
        "authoredOn": "2026-11-23T10:00:00Z",
        "requester": {"reference": REQUESTER},
        "owner": {"reference": OWNER},
    }
    entries: list[Resource] = [
        {"fullUrl": order, "resource": request, "request": {"method": "POST", "url": "ServiceRequest"}},
        {"resource": task, "request": {"method": "POST", "url": "Task"}},
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def text(resource: Resource) -> str:
    """Compact JSON."""
    return json.dumps(resource, separators=(",", ":"))
