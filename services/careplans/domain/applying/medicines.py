"""Which classes of medicines a patient takes.

http://hl7.org/fhir/R4/medicationrequest.html, http://hl7.org/fhir/R4/medicationstatement.html
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from services.careplans.domain.applying.classes import MedicineClass, reference_to
from services.careplans.domain.applying.inputs import Input, Record
from services.careplans.domain.applying.medicine_classes import MEDICINE_CLASSES
from services.careplans.domain.applying.substances import ingredients, product
from shared.fhir.json import Resource

ORDERS = frozenset({"order", "original-order", "reflex-order", "filler-order", "instance-order"})
"""Intents of what is prescribed; the others are proposals and plans."""


@dataclass(frozen=True, slots=True)
class _Taken:
    """An active medicine: its product and ingredients, as far as somebody can tell them."""

    references: tuple[str, ...]
    product: object
    """Equal for two orders of the same; None where nothing says what it is."""
    ingredients: frozenset[str]


def taken(record: Record) -> Iterator[Input]:
    """One yes or no per class, then how many active medicines there are; two orders of one product are one.

    Without any medicine all are unknown. One that nobody can name may be of any class: then there is no "no"."""
    medicines = [_taken(resource, record) for resource in _active(record)]
    for class_ in MEDICINE_CLASSES:
        yield _input(class_, medicines)
    count = _count(medicines)
    references = tuple(reference for each in medicines for reference in each.references)
    note = "" if count else "needs the list of medicines"
    yield Input("medicines", "Number of active medicines", count or None, references, note=note)


def referred(record: Record) -> tuple[str, ...]:
    """The ids of the Medications, outside of the resources themselves, that active medicines refer to."""
    targets = (_target(resource) for resource in _active(record))
    found = (_id_of(target) for target in targets if target is not None and not target.startswith("#"))
    return tuple(sorted({id_ for id_ in found if id_}))


def _taken(resource: Resource, record: Record) -> _Taken:
    concepts = _concepts(resource, record)
    return _Taken(reference_to(resource), product(concepts), ingredients(concepts))


def _count(medicines: Sequence[_Taken]) -> int:
    named = {each.product for each in medicines if each.product is not None}
    return len(named) + sum(each.product is None for each in medicines)


def _active(record: Record) -> Iterator[Resource]:
    for request in record.get("MedicationRequest", ()):
        if (
            request.get("status") == "active"
            and _is_order(request.get("intent"))
            and request.get("doNotPerform") is not True
        ):
            yield request
    for statement in record.get("MedicationStatement", ()):
        if statement.get("status") == "active":
            yield statement


def _concepts(resource: Resource, record: Record) -> list[object]:
    """The medication's CodeableConcept, its own or that of the Medication that it refers to, and the ingredients'."""
    reference = resource.get("medicationReference")
    target = _target(resource)
    concepts: list[object] = [resource.get("medicationCodeableConcept")]
    if isinstance(reference, dict):
        concepts.append({"text": reference.get("display")})
    if target is not None:
        for medication in _medications(resource, target, record):
            concepts.append(medication.get("code"))
            parts = medication.get("ingredient")
            for part in parts if isinstance(parts, list) else ():
                if isinstance(part, dict):
                    concepts.append(part.get("itemCodeableConcept"))
    return concepts


def _is_order(intent: object) -> bool:
    return isinstance(intent, str) and intent in ORDERS


def _medications(resource: Resource, target: str, record: Record) -> Iterable[Resource]:
    """What a reference leads to: contained, of the record, also by an absolute URL, a version or ``urn:uuid:``."""
    if target.startswith("#"):
        contained = resource.get("contained")
        candidates = contained if isinstance(contained, list) else ()
        return [each for each in candidates if isinstance(each, dict) and f"#{each.get('id')}" == target]
    id_ = _id_of(target)
    return [each for each in record.get("Medication", ()) if each.get("id") == id_]


def _target(resource: Resource) -> str | None:
    reference = resource.get("medicationReference")
    target = reference.get("reference") if isinstance(reference, dict) else None
    return target if isinstance(target, str) else None


def _id_of(target: str) -> str:
    return target.partition("/_history/")[0].removeprefix("urn:uuid:").rpartition("/")[2]


def _input(class_: MedicineClass, medicines: Sequence[_Taken]) -> Input:
    title, count = class_.title, _count(medicines)
    members = [each for each in medicines if not each.ingredients.isdisjoint(class_.ingredients)]
    nameless = [each for each in medicines if each.product is None]
    if members:
        return Input(class_.variable, title, True, _references(members), note="among the active medicines")
    if not count:
        return Input(class_.variable, title, note=f"needs the list of medicines ({title} among them)")
    if nameless:
        needed = f"needs the name of {_counted(len(nameless))} that nobody can tell from the record ({title}?)"
        return Input(class_.variable, title, None, _references(nameless), note=needed)
    return Input(class_.variable, title, False, note=f"not among {_counted(count)}")


def _counted(count: int) -> str:
    return f"{count} active medicine{'s' if count > 1 else ''}"


def _references(medicines: Iterable[_Taken]) -> tuple[str, ...]:
    return tuple(reference for each in medicines for reference in each.references)
