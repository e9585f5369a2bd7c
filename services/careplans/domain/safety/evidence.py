"""What was handed out or given: it names the prescription behind it, and adds nothing to a dose.

http://hl7.org/fhir/R4/medicationdispense.html, http://hl7.org/fhir/R4/medicationadministration.html
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from services.careplans.domain.safety.dates import after, days_of, length_of
from services.careplans.domain.safety.medications import product
from services.careplans.domain.safety.reading import child, local_reference, objects, own_reference, string
from shared.fhir.json import Resource

HANDED_OUT = frozenset({"completed", "in-progress"})


@dataclass(frozen=True, slots=True)
class Supply:
    """One dispense or administration. ``of``: the prescription, where it is named."""

    reference: str
    of: str | None
    names: tuple[str, ...] = ()
    lasts: bool = False
    """It was handed out, and by its days of supply it is not used up."""


def supplies(
    record: Mapping[str, Sequence[Resource]], medications: Mapping[str, Resource], as_of: date
) -> list[Supply]:
    """All of the record, in the order of their references."""
    return sorted(_read(record, medications, as_of), key=lambda each: (each.reference, each.of or ""))


def _read(
    record: Mapping[str, Sequence[Resource]], medications: Mapping[str, Resource], as_of: date
) -> Iterator[Supply]:
    for each in record.get("MedicationDispense", ()):
        if string(each, "status") not in HANDED_OUT:
            continue
        names = tuple(one.name for one in product(each, medications).ingredients)
        named = [local_reference(one) for one in objects(each.get("authorizingPrescription"))]
        for of in named or [None]:
            yield Supply(own_reference(each), of, names, _lasts(each, as_of))
    for each in record.get("MedicationAdministration", ()):
        if string(each, "status") in HANDED_OUT and (of := local_reference(each.get("request"))) is not None:
            yield Supply(own_reference(each), of)


def _lasts(dispense: Resource, as_of: date) -> bool:
    days = days_of(dispense.get("whenHandedOver")) or days_of(dispense.get("whenPrepared"))
    supply = length_of(child(dispense, "daysSupply"))
    return days is not None and supply is not None and days.first <= as_of <= after(days.last, supply)
