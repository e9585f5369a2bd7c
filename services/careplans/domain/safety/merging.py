"""One list out of everything that tells of medicines: each prescription once, with its sources and its doubts.

What is the same for certain (``links``) is one entry. What may be the same, or may be taken beside each other, is shown
as two and counted as a range: from the case that it is one to the case that it is both.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations

from services.careplans.domain.safety import links
from services.careplans.domain.safety.activity import was_ordered
from services.careplans.domain.safety.dosing import Dose
from services.careplans.domain.safety.evidence import Supply, supplies
from services.careplans.domain.safety.gaps import Gap
from services.careplans.domain.safety.ingredients import DrugClass
from services.careplans.domain.safety.medications import TYPES, Medication, read
from services.careplans.domain.safety.products import Form
from services.careplans.domain.safety.reading import own_reference, string
from shared.errors import Unprocessable
from shared.fhir.json import Resource

MOST = 500
"""Active prescriptions and statements of one patient: more are a mistake, and merging compares each with each."""
Record = Mapping[str, Sequence[Resource]]
"""A patient's resources by type."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One medicine that is taken."""

    lead: Medication
    """The prescription, or the statement where there is none."""
    counted: tuple[Medication, ...]
    """Those whose doses hold: ``lead``, and what tells of the same."""
    sources: tuple[str, ...]
    """All that tell of it, also what it replaces."""
    since: date | None
    """When it began, or the first of the prescriptions that it renews."""
    prescribers: frozenset[str]
    evidence: tuple[str, ...] = ()
    """What was handed out or given."""
    remarks: tuple[str, ...] = ()
    """What is to be said aloud."""

    @property
    def classes(self) -> frozenset[DrugClass]:
        """The classes that it belongs to; none where it works on the skin, in the eye or the ear."""
        if self.lead.product.form is Form.LOCAL:
            return frozenset()
        return frozenset(drug_class for each in self.lead.product.ingredients for drug_class in each.classes)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its known ingredients."""
        return tuple(each.name for each in self.lead.product.ingredients)

    @property
    def nameless(self) -> bool:
        """Whether nothing says what it is: neither a text nor a known code."""
        return not self.lead.product.parts and self.lead.product.text is None

    @property
    def as_needed(self) -> bool:
        """Whether one of the sources says so."""
        return any(each.as_needed for each in self.counted)

    @property
    def doses(self) -> tuple[Dose, ...]:
        """The doses that the sources give; two of one ingredient where they differ, those of the lead first."""
        return tuple(dict.fromkeys(dose for each in self.counted for dose in each.doses))


@dataclass(frozen=True, slots=True)
class MedicationList:
    """The merged list on one day. ``doubts``: pairs of entries (their leads) that may be one prescription."""

    entries: tuple[Entry, ...]
    doubts: tuple[links.Pair, ...] = ()
    gaps: tuple[Gap, ...] = ()
    past: tuple[Medication, ...] = ()
    """What was ordered and counts no more."""

    def of(self, *classes: DrugClass) -> tuple[Entry, ...]:
        """The entries of any of ``classes``."""
        return tuple(each for each in self.entries if not each.classes.isdisjoint(classes))

    @property
    def unread(self) -> tuple[Entry, ...]:
        """Entries of which no ingredient is known to the rules."""
        return tuple(each for each in self.entries if not each.lead.product.parts)


def merge(record: Record, as_of: date) -> MedicationList:
    """The list of the patient's medicines on ``as_of``; the order of the record does not matter.

    Raises ``Unprocessable`` for more than ``MOST`` that are active."""
    medications = {own_reference(each): each for each in record.get("Medication", ())}
    found = _read_all(record, medications, as_of)
    if sum(each.activity.active for each in found.values()) > MOST:
        raise Unprocessable("There are too many active prescriptions to be merged.", code="too-costly")
    linked = links.linked(list(found.values()))
    gone = links.replaced(found)
    supplied = supplies(record, medications, as_of)
    handed_out: dict[str | None, list[str]] = defaultdict(list)
    for supply in supplied:
        handed_out[supply.of].append(supply.reference)
    entries = [
        entry
        for group in links.groups(found, linked.same)
        if (entry := _entry([found[each] for each in sorted(group)], gone, handed_out)) is not None
    ]
    entries.sort(key=lambda each: each.lead.reference)
    gaps = [gap for entry in entries for each in entry.counted for gap in each.gaps]
    gaps += [
        _odd(one, other)
        for one, other in linked.different
        if found[one].activity.active and found[other].activity.active
    ]
    gaps += _unexplained(entries, supplied)
    past = tuple(each for each in found.values() if not each.activity.active and was_ordered(each.resource))
    return MedicationList(tuple(entries), _doubts(entries, linked.unsure), tuple(sorted(set(gaps))), past)


def _read_all(record: Record, medications: Mapping[str, Resource], as_of: date) -> dict[str, Medication]:
    """By reference, in order; a resource that comes twice counts once."""
    resources = {
        own_reference(each): each
        for type_ in TYPES
        for each in record.get(type_, ())
        if string(each, "resourceType") == type_
    }
    return {reference: read(resources[reference], medications, as_of) for reference in sorted(resources)}


def _entry(group: list[Medication], gone: frozenset[str], handed_out: Mapping[str | None, list[str]]) -> Entry | None:
    active = [each for each in group if each.activity.active]
    if not active:
        return None
    # where each replaces the other, nobody knows which one holds
    counted = [each for each in active if each.reference not in gone] or active
    counted.sort(key=lambda each: (not each.is_request, -(each.activity.since or date.min).toordinal(), each.reference))
    sources = [each.reference for each in group if each.activity.active or each.reference in gone]
    begun = [each.activity.since for each in group if was_ordered(each.resource)]
    evidence = sorted({one for each in group for one in handed_out.get(each.reference, ())})
    return Entry(
        counted[0],
        tuple(counted),
        tuple(sources),
        min((each for each in begun if each is not None), default=None),
        frozenset(each.prescriber for each in counted if each.prescriber is not None),
        tuple(evidence),
        tuple(_remarks(group, counted)),
    )


def _remarks(group: list[Medication], counted: list[Medication]) -> Iterable[str]:
    figures = {tuple((dose.mg_per_day, dose.mcg_per_hour) for dose in each.doses if dose.known) for each in counted}
    if len(figures - {()}) > 1:
        yield f"{_and(each.reference for each in counted)} give different doses of one prescription"
    told = (each for each in group if not each.is_request and not each.activity.active)
    for each in told:
        if string(each.resource, "status") in {"not-taken", "stopped", "completed"}:
            yield f"{each.reference} says that it is not taken; the prescription is active and counted"


def _and(references: Iterable[str]) -> str:
    return " and ".join(references)


def _odd(one: str, other: str) -> Gap:
    element = f"{one.partition('/')[0]}.medication[x]"
    return Gap(one, element, f"is linked with {other}, which has other ingredients; both are counted")


def _unexplained(entries: Sequence[Entry], supplied: Sequence[Supply]) -> Iterable[Gap]:
    """Supplies of a known ingredient that should still last, and no entry has it."""
    taken = {name for each in entries for name in each.names}
    for each in supplied:
        if each.lasts and each.names and taken.isdisjoint(each.names):
            reason = f"{', '.join(each.names)} was handed out and should still last; no active prescription says so"
            yield Gap(each.reference, "MedicationDispense.authorizingPrescription", reason)


def _doubts(entries: Sequence[Entry], unsure: Iterable[links.Pair]) -> tuple[links.Pair, ...]:
    lead_of = {reference: each.lead.reference for each in entries for reference in each.sources}
    pairs = {(lead_of[one], lead_of[other]) for one, other in unsure if one in lead_of and other in lead_of}
    pairs |= {
        (one.lead.reference, other.lead.reference) for one, other in combinations(entries, 2) if _may_be_one(one, other)
    }
    return tuple(sorted({(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]}))


def _may_be_one(one: Entry, other: Entry) -> bool:
    """Two prescriptions of the same product; a statement and whatever shares an ingredient with it."""
    if one.lead.is_request and other.lead.is_request:
        return bool(one.names) and links.same_product(one.lead, other.lead)
    return not set(one.names).isdisjoint(other.names)
