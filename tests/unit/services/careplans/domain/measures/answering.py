"""QuestionnaireResponses and Observations for tests, as short as they can be."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from services.careplans.domain.measures.catalogue import BY_ID
from services.careplans.domain.measures.measure import LOINC, UCUM
from shared.fhir.json import Resource

NOON = datetime(2025, 3, 4, 12, tzinfo=UTC)
PATIENT = {"reference": "Patient/p"}


def response(items: Mapping[str, Any], *, questionnaire: str | None = None, **more: Any) -> Resource:
    """A completed response. ``items``: linkId -> the answer's ``value[x]``, or None for an item that was left open."""
    answered = [
        {"linkId": link} | ({} if value is None else {"answer": [value if isinstance(value, dict) else integer(value)]})
        for link, value in items.items()
    ]
    found: Resource = {"resourceType": "QuestionnaireResponse", "status": "completed", "subject": PATIENT}
    if questionnaire:
        found["questionnaire"] = f"{BY_ID[questionnaire].questionnaire}|1"
    return found | {"authored": "2025-03-04T10:00:00Z"} | ({"item": answered} if answered else {}) | more


def ours(measure: str, answers: Sequence[Any], **more: Any) -> Resource:
    """The response to our Questionnaire of ``measure`` with ``answers`` in the order of the items; None: left open."""
    links = [item.link for item in BY_ID[measure].items]
    return response(dict(zip(links, answers, strict=True)), questionnaire=measure, **more)


def integer(value: Any) -> Resource:
    """An answer that is a number."""
    return {"valueInteger": value}


def coded(code: str, **more: Any) -> Resource:
    """An answer that is a LOINC code."""
    return {"valueCoding": {"system": LOINC, "code": code} | more}


def observed(measure: str, value: Any, at: str = "2025-01-01", id: str = "o", **more: Any) -> Resource:
    """A final score, in the measure's unit."""
    of = BY_ID[measure]
    quantity = {"value": Decimal(str(value)), "unit": of.unit, "system": UCUM, "code": of.unit}
    coding = {"system": of.coding.system, "code": of.coding.code}
    found: Resource = {
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "code": {"coding": [coding]},
        "subject": PATIENT,
        "effectiveDateTime": at,
        "valueQuantity": quantity,
    }
    return found | more
