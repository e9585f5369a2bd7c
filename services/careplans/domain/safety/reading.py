"""Readers that take any JSON: what is missing, or of another type than FHIR says, is absent and never a crash."""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from shared.fhir.json import Resource

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SNOMED_CT = "http://snomed.info/sct"
ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
LOINC = "http://loinc.org"

LARGEST = Decimal(10) ** 9
"""No dose, strength or period is greater; beyond it a number is a mistake."""


def objects(value: Any) -> list[Resource]:
    """The JSON objects in a list, or the one object that stands where a list is due."""
    if isinstance(value, dict):
        return [value]
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def child(element: Resource, name: str) -> Resource:
    """The object ``element.name``; empty where there is none."""
    value = element.get(name)
    return value if isinstance(value, dict) else {}


def string(element: Resource, name: str) -> str | None:
    """The text ``element.name``, trimmed; None where there is none."""
    value = element.get(name)
    return value.strip() or None if isinstance(value, str) else None


def number(element: Resource, name: str) -> Decimal | None:
    """The number ``element.name``: finite, not negative, not absurd."""
    value = element.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() and 0 <= found <= LARGEST else None


def codings(concept: Resource) -> Iterator[tuple[str | None, str]]:
    """``(system, code)`` of each coding of a CodeableConcept that has a code."""
    for coding in objects(concept.get("coding")):
        code = string(coding, "code")
        if code is not None:
            yield string(coding, "system"), code


def codes(concept: Resource) -> frozenset[str]:
    """The codes of a CodeableConcept, of whatever system."""
    return frozenset(code for _, code in codings(concept))


def texts(concept: Resource) -> list[str]:
    """What a CodeableConcept says in words: its text, then the displays of its codings."""
    found = [string(concept, "text"), *(string(coding, "display") for coding in objects(concept.get("coding")))]
    return list(dict.fromkeys(text for text in found if text))


def local_reference(element: Any) -> str | None:
    """``Type/id`` of a Reference, without server and version; other references (``urn:``, ``#x``) as they are."""
    reference = string(element, "reference") if isinstance(element, dict) else None
    if reference is None or reference.startswith(("urn:", "#")):
        return reference
    parts = reference.split("/_history/")[0].rstrip("/").split("/")
    return "/".join(parts[-2:])


def own_reference(resource: Resource) -> str:
    """``Type/id`` of the resource itself."""
    return f"{string(resource, 'resourceType') or 'Resource'}/{string(resource, 'id') or 'without-id'}"
