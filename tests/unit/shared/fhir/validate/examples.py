"""Small resources that are valid R4; a test breaks one thing in a copy."""

from copy import deepcopy
from typing import Any

from shared.fhir.json import Resource

CARE_PLAN: Resource = {
    "resourceType": "CarePlan",
    "id": "plan",
    "meta": {"profile": ["http://example.org/StructureDefinition/plan"]},
    "text": {
        "status": "generated",
        "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>Plan&nbsp;of care</p></div>',
    },
    "contained": [
        {
            "resourceType": "Goal",
            "id": "goal",
            "lifecycleStatus": "active",
            "description": {"text": "walk"},
            "subject": {"reference": "Patient/anna"},
        }
    ],
    "extension": [{"url": "http://example.org/tier", "valueCode": "two"}],
    "status": "active",
    "intent": "plan",
    "category": [{"coding": [{"system": "http://example.org/categories", "code": "pain"}]}],
    "title": "Shared plan",
    "_title": {"extension": [{"url": "http://example.org/language", "valueString": "en"}]},
    "subject": {"reference": "Patient/anna"},
    "period": {"start": "2024-03", "end": "2024-09-30"},
    "created": "2024-03-01T09:30:00+01:00",
    "careTeam": [{"reference": "CareTeam/team"}],
    "addresses": [{"reference": "Condition/pain/_history/2", "type": "Condition"}],
    "goal": [{"reference": "#goal"}],
    "activity": [
        {"reference": {"reference": "ServiceRequest/physio"}},
        {
            "detail": {
                "kind": "ServiceRequest",
                "status": "scheduled",
                "doNotPerform": False,
                "scheduledTiming": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "wk"}},
                "performer": [{"reference": "https://other.example.org/fhir/Practitioner/p1"}],
            }
        },
    ],
    "note": [{"authorReference": {"reference": "Practitioner/p1"}, "text": "Started slowly."}],
}

TASK: Resource = {
    "resourceType": "Task",
    "status": "requested",
    "intent": "order",
    "focus": {"reference": "ServiceRequest/physio"},
    "for": {"reference": "Patient/anna"},
    "authoredOn": "2024-03-01",
    "lastModified": "2024-03-02T08:00:00Z",
    "input": [{"type": {"text": "visits"}, "valuePositiveInt": 6}],
}

PATIENT: Resource = {
    "resourceType": "Patient",
    "name": [
        {
            "family": "Example",
            "given": ["Anna", None],
            "_given": [
                None,
                {
                    "extension": [
                        {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}
                    ]
                },
            ],
        }
    ],
    "gender": "female",
    "birthDate": "1970-02",
    "contact": [{"telecom": [{"system": "phone", "value": "+49 30 1"}]}],
}

OBSERVATION: Resource = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "72514-3"}]},
    "subject": {"reference": "Patient/anna"},
    "effectiveDateTime": "2024-03-01T09:30:00.250Z",
    "valueQuantity": {"value": 4, "unit": "{score}", "system": "http://unitsofmeasure.org", "code": "{score}"},
    "referenceRange": [{"low": {"value": 0}, "high": {"value": 10}}],
}

CONDITION: Resource = {
    "resourceType": "Condition",
    "clinicalStatus": {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]
    },
    "code": {"text": "Chronic low back pain"},
    "subject": {"reference": "Patient/anna"},
    "onsetAge": {"value": 41, "system": "http://unitsofmeasure.org", "code": "a"},
}

SERVICE_REQUEST: Resource = {
    "resourceType": "ServiceRequest",
    "status": "active",
    "intent": "order",
    "code": {"text": "Physical therapy"},
    "orderDetail": [{"text": "aquatic"}],
    "subject": {"reference": "Patient/anna"},
}

COMMUNICATION: Resource = {
    "resourceType": "Communication",
    "status": "completed",
    "recipient": [{"reference": "Practitioner/p1"}],
    "payload": [{"contentString": "The referral was accepted."}],
}

SUBSCRIPTION: Resource = {
    "resourceType": "Subscription",
    "status": "requested",
    "reason": "Tell the practice",
    "criteria": "Task?status=accepted",
    "channel": {"type": "rest-hook", "endpoint": "https://example.org/hook", "payload": "application/fhir+json"},
}

EXAMPLES = (CARE_PLAN, TASK, PATIENT, OBSERVATION, CONDITION, SERVICE_REQUEST, COMMUNICATION, SUBSCRIPTION)

ABSENT: Any = object()
"""As the new value: the member is removed."""


def changed(resource: Resource, path: str, value: Any) -> Resource:
    """A copy of ``resource`` in which the member or item at ``path`` (``activity.1.detail.status``) is ``value``."""
    copy = deepcopy(resource)
    *parents, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    target: Any = copy
    for step in parents:
        target = target[step]
    if value is ABSENT:
        del target[last]
    elif isinstance(target, list) and last == len(target):
        target.append(value)
    else:
        target[last] = value
    return copy
