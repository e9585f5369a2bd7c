"""Which classes of medicines a patient takes.

http://hl7.org/fhir/R4/medicationrequest.html, http://hl7.org/fhir/R4/medicationstatement.html
"""

import re
from collections.abc import Iterable, Iterator

from services.careplans.domain.applying.classes import RXNORM, MedicineClass, codings, reference_to, words
from services.careplans.domain.applying.inputs import Input, Record
from services.careplans.domain.applying.medicine_classes import MEDICINE_CLASSES
from shared.fhir.json import Resource

ORDERS = frozenset({"order", "original-order", "reflex-order", "filler-order", "instance-order"})
"""Intents of what is prescribed; the others are proposals and plans."""


def taken(record: Record) -> Iterator[Input]:
    """One yes or no per class, then how many active medicines there are. Without any all are unknown."""
    medicines = [(resource, _concepts(resource, record)) for resource in _active(record)]
    for class_ in MEDICINE_CLASSES:
        members = [resource for resource, concepts in medicines if any(_matches(class_, each) for each in concepts)]
        yield _input(class_, members, len(medicines))
    count, title = len(medicines), "Number of active medicines"
    references = tuple(reference for resource, _ in medicines for reference in reference_to(resource))
    yield Input("medicines", title, count or None, references, note="" if count else "needs the list of medicines")


def _active(record: Record) -> Iterator[Resource]:
    for request in record.get("MedicationRequest", ()):
        if (
            request.get("status") == "active"
            and request.get("intent") in ORDERS
            and request.get("doNotPerform") is not True
        ):
            yield request
    for statement in record.get("MedicationStatement", ()):
        if statement.get("status") == "active":
            yield statement


def _concepts(resource: Resource, record: Record) -> list[object]:
    """The medication's CodeableConcept, its own or that of the Medication that it refers to, and the ingredients'."""
    reference = resource.get("medicationReference")
    target = reference.get("reference") if isinstance(reference, dict) else None
    concepts: list[object] = [resource.get("medicationCodeableConcept")]
    if isinstance(reference, dict):
        concepts.append({"text": reference.get("display")})
    if isinstance(target, str):
        for medication in _medications(resource, target, record):
            concepts.append(medication.get("code"))
            ingredients = medication.get("ingredient")
            for ingredient in ingredients if isinstance(ingredients, list) else ():
                if isinstance(ingredient, dict):
                    concepts.append(ingredient.get("itemCodeableConcept"))
    return concepts


def _medications(resource: Resource, target: str, record: Record) -> Iterable[Resource]:
    if target.startswith("#"):
        contained = resource.get("contained")
        candidates = contained if isinstance(contained, list) else ()
        return [each for each in candidates if isinstance(each, dict) and f"#{each.get('id')}" == target]
    return [each for each in record.get("Medication", ()) if target in reference_to(each)]


def _matches(class_: MedicineClass, concept: object) -> bool:
    if any(system == RXNORM and code in class_.ingredients.values() for system, code in codings(concept)):
        return True
    named = set(re.findall(r"[a-z]+", words(concept)))
    return not named.isdisjoint(class_.ingredients)


def _input(class_: MedicineClass, members: list[Resource], count: int) -> Input:
    title = class_.title
    if members:
        references = tuple(reference for member in members for reference in reference_to(member))
        return Input(class_.variable, title, True, references, note="among the active medicines")
    if not count:
        return Input(class_.variable, title, note=f"needs the list of medicines ({title} among them)")
    return Input(class_.variable, title, False, note=f"not among {count} active medicine{'s' if count > 1 else ''}")
