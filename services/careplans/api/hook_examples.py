"""Examples of CDS Hooks for the OpenAPI document."""

from typing import Any

_PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "identifier": [{"system": "https://ehr.example/mrn", "value": "1"}],
    "birthDate": "1961-02-03",
}
_TWICE = {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}}
_OXYCODONE = {
    "resourceType": "MedicationRequest",
    "id": "m1",
    "status": "active",
    "intent": "order",
    "subject": {"reference": "Patient/p1"},
    "medicationCodeableConcept": {"text": "oxycodone 10 mg tablet"},
    "dosageInstruction": [
        {"timing": _TWICE, "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablet"}}]},
    ],
}
_LORAZEPAM = {
    "resourceType": "MedicationRequest",
    "id": "draft-1",
    "status": "draft",
    "intent": "order",
    "subject": {"reference": "Patient/p1"},
    "medicationCodeableConcept": {"text": "lorazepam 1 mg tablet"},
}
_DRAFTS = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": _LORAZEPAM}]}
_PREFETCH = {
    "patient": _PATIENT,
    "medicationRequests": {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": _OXYCODONE}]},
    "conditions": None,
}
_CONTEXT = {"userId": "Practitioner/d1", "patientId": "p1"}
_INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"


def _call(hook: str, **context: Any) -> dict[str, Any]:
    return {
        "value": {
            "hook": hook,
            "hookInstance": _INSTANCE,
            "context": _CONTEXT | context,
            "prefetch": _PREFETCH,
        }
    }


CALLS: dict[str, Any] = {
    "patient-view": _call("patient-view"),
    "order-select": _call("order-select", selections=["MedicationRequest/draft-1"], draftOrders=_DRAFTS),
    "order-sign": _call("order-sign", draftOrders=_DRAFTS),
}
FEEDBACK: dict[str, Any] = {
    "overridden": {
        "value": {
            "feedback": [
                {
                    "card": "4e0a3a1e-3283-4575-ab82-028d55fe2719",
                    "outcome": "overridden",
                    "overrideReason": {
                        "reason": {
                            "system": "https://consilium.care/fhir/CodeSystem/safety-override",
                            "code": "benefit-outweighs-risk",
                        },
                        "userComment": "For two days, before the operation.",
                    },
                    "outcomeTimestamp": "2026-11-28T12:00:00Z",
                }
            ]
        }
    }
}


def _answer(description: str, example: Any) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"example": example}}}


RESPONSES: dict[str, dict[str, Any]] = {
    "discovery": _answer(
        "The services.",
        {
            "services": [
                {
                    "hook": "patient-view",
                    "title": "Safety of the medication list",
                    "description": "What the safety rules find on the merged medication list of the patient.",
                    "id": "consilium-safety-patient-view",
                    "prefetch": {"patient": "Patient/{{context.patientId}}"},
                }
            ]
        },
    ),
    "cards": _answer(
        "Cards; an empty list where there is nothing to say.",
        {
            "cards": [
                {
                    "uuid": "4e0a3a1e-3283-4575-ab82-028d55fe2719",
                    "summary": "Opioid together with a benzodiazepine",
                    "detail": "lorazepam, oxycodone are active.",
                    "indicator": "critical",
                    "source": {"label": "CDC 2022, recommendation 11"},
                }
            ]
        },
    ),
    "feedback": _answer("How many findings were acknowledged.", {"acknowledged": 1}),
}
