"""Which record a call is judged on: what the EHR sent, what the shared record has of the same patient, or both."""

from dataclasses import dataclass

from services.careplans.domain.hooks.request import Call
from services.careplans.domain.hooks.services import PREFETCH, REQUIRED
from services.careplans.domain.safety.merging import Record
from services.careplans.domain.safety.reading import objects, own_reference, string
from shared.errors import PreconditionFailed
from shared.fhir.json import Resource


@dataclass(frozen=True, slots=True)
class Judged:
    """The record, whether it is (also) that of our patient, and the prefetch keys that nobody could give."""

    record: Record
    ours: bool
    missing: tuple[str, ...]


def joined(call: Call, shared: Record) -> Judged:
    """The record of a call. ``shared`` is what the shared record has under the patient's id; empty where it has none.

    Ids of two systems may be the same by chance: where the EHR sends the patient, an identifier must be the same, too.
    Raises ``PreconditionFailed`` where neither has the patient and the prescriptions."""
    ours = _same_patient(call, shared)
    record: dict[str, dict[str, Resource]] = {}
    for source in (shared if ours else {}, call.own, {"MedicationRequest": call.drafts}):
        for type_, resources in source.items():
            record.setdefault(type_, {}).update({own_reference(each): each for each in resources})
    if not ours and any(key not in call.given for key in REQUIRED):
        keys = ", ".join(key for key in REQUIRED if key not in call.given)
        text = f"The patient is not in the shared record, and this was not prefetched: {keys}."
        raise PreconditionFailed(text, expression=tuple(f"prefetch.{key}" for key in REQUIRED))
    missing = () if ours else tuple(key for key in PREFETCH if key not in call.given)
    return Judged({type_: list(found.values()) for type_, found in record.items()}, ours, (*missing, *call.incomplete))


def _same_patient(call: Call, shared: Record) -> bool:
    known = next(iter(shared.get("Patient", ())), None)
    sent = next(iter(call.given.get("patient", ())), None)
    if known is None or sent is None:
        return known is not None
    return not _identifiers(known).isdisjoint(_identifiers(sent))


def _identifiers(patient: Resource) -> set[tuple[str, str]]:
    found = ((string(each, "system"), string(each, "value")) for each in objects(patient.get("identifier")))
    return {(system, value) for system, value in found if system and value}
