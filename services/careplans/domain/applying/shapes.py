"""A resource as far as it is well-formed: records of others come with missing codes, plain texts and other types.

A shape is data: a mapping (an object with these elements), a list of one shape (an array of it), or a type. What does
not fit is left out, so that who reads the rest need not ask again.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from shared.fhir.json import Resource

NUMBER = Decimal
"""JSON numbers; floats become the decimals that they are written as."""
_NOTHING = object()

_CODING = {
    "system": str,
    "code": str,
    "display": str,
    "extension": [{"url": str, "valueDecimal": NUMBER}],
}
_CONCEPT = {"coding": [_CODING], "text": str}
_VALUE: dict[str, Any] = {
    "valueQuantity": {"value": NUMBER, "comparator": object, "unit": str, "system": str, "code": str},
    "valueCodeableConcept": _CONCEPT,
    "valueCoding": _CODING,
    "valueInteger": NUMBER,
    "valueDecimal": NUMBER,
    "valueString": str,
    "valueBoolean": bool,
}
PART = {"code": _CONCEPT, **_VALUE}
LANGUAGES = {"communication": [{"preferred": bool, "language": _CONCEPT}]}
OBSERVATION = {
    "resourceType": str,
    "id": str,
    "status": str,
    "effectiveDateTime": str,
    "effectiveInstant": str,
    "effectivePeriod": {"start": str, "end": str},
    "issued": str,
    "note": [{"text": str}],
    "extension": [{"url": str, "valueCode": str}],
    "component": [PART],
    **PART,
}
_ITEM: dict[str, Any] = {"linkId": str, "definition": str}
_ITEM |= {"item": [_ITEM], "answer": [{**_VALUE, "item": [_ITEM]}]}
RESPONSE = {
    "resourceType": str,
    "id": str,
    "status": str,
    "questionnaire": str,
    "authored": str,
    "item": [_ITEM],
}


def shaped(resource: object, shape: Mapping[str, Any]) -> Resource:
    """What of ``resource`` has that shape; nothing of what is no object."""
    found = _shaped(resource, shape)
    return found if isinstance(found, dict) else {}


def _shaped(value: object, shape: Any) -> Any:
    if isinstance(shape, Mapping):
        if not isinstance(value, dict):
            return _NOTHING
        parts = {name: _shaped(value[name], part) for name, part in shape.items() if name in value}
        return {name: part for name, part in parts.items() if part is not _NOTHING}
    if isinstance(shape, list):
        entries = value if isinstance(value, list) else ()
        return [part for each in entries if (part := _shaped(each, shape[0])) is not _NOTHING]
    if shape is NUMBER:
        return _number(value)
    return value if isinstance(value, shape) else _NOTHING


def _number(value: object) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return _NOTHING
    exact = Decimal(str(value)) if isinstance(value, float) else value
    return exact if isinstance(exact, int) or exact.is_finite() else _NOTHING
