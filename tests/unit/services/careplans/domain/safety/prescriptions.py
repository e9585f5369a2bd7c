"""Prescriptions and statements for tests of the safety rules."""

from datetime import date
from typing import Any

TODAY = date(2026, 3, 2)
Body = dict[str, Any]

DAILY = {"frequency": 1, "period": 1, "periodUnit": "d"}
BID = {"frequency": 2, "period": 1, "periodUnit": "d"}
TID = {"frequency": 3, "period": 1, "periodUnit": "d"}
QID = {"frequency": 4, "period": 1, "periodUnit": "d"}
Q6H = {"frequency": 1, "period": 6, "periodUnit": "h"}
Q72H = {"frequency": 1, "period": 72, "periodUnit": "h"}

_OF_FORM = ("tablet", "capsule", "patch")


def instruction(value: Any, unit: str | None, repeat: Body | None = DAILY, **more: Any) -> Body:
    """One dosage."""
    timing = {"timing": {"repeat": repeat}} if repeat else {}
    return timing | {"doseAndRate": [{"doseQuantity": {"value": value, "unit": unit}}]} | more


def prescribed(text: str, repeat: Body | None = DAILY, *, id: str = "r", count: Any = 1, **more: Any) -> Body:
    """An active MedicationRequest for ``count`` pieces at a time; without ``repeat`` it has no dosage."""
    unit = next((each for each in _OF_FORM if each in text), "tablet")
    dosage = {"dosageInstruction": [instruction(count, unit, repeat)]} if repeat else {}
    return (
        {
            "resourceType": "MedicationRequest",
            "id": id,
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": {"text": text},
        }
        | dosage
        | more
    )


def told(text: str, repeat: Body | None = DAILY, *, id: str = "s", count: Any = 1, **more: Any) -> Body:
    """An active MedicationStatement."""
    found = prescribed(text, repeat, id=id, count=count)
    del found["intent"]
    dosage = {"dosage": found.pop("dosageInstruction")} if repeat else {}
    return found | {"resourceType": "MedicationStatement"} | dosage | more


def record(*resources: Body) -> dict[str, list[Body]]:
    """Resources by type."""
    found: dict[str, list[Body]] = {}
    for each in resources:
        found.setdefault(each["resourceType"], []).append(each)
    return found


def reference(to: str) -> Body:
    """A Reference."""
    return {"reference": to}
