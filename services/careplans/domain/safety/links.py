"""Which prescriptions and statements tell of the same, and which replaces which: what the record says for certain.

http://hl7.org/fhir/R4/medicationrequest.html (identifier, basedOn, priorPrescription),
http://hl7.org/fhir/R4/medicationstatement.html (identifier, basedOn, derivedFrom). What links medicines with other
ingredients is no identity.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations

from services.careplans.domain.safety.medications import Medication
from services.careplans.domain.safety.products import Form
from services.careplans.domain.safety.reading import local_reference, objects, string

Pair = tuple[str, str]
"""References of two that belong together."""


def told_of(medication: Medication) -> list[str]:
    """What it says to be about: the order that it fills, or what it was derived from."""
    resource = medication.resource
    named = [*objects(resource.get("basedOn")), *objects(resource.get("derivedFrom"))]
    return [reference for each in named if (reference := local_reference(each)) is not None]


def replaced_by(medication: Medication) -> str | None:
    """The prescription that this one renews or replaces."""
    return local_reference(medication.resource.get("priorPrescription"))


@dataclass(frozen=True, slots=True)
class Links:
    """Pairs by what their link means."""

    same: tuple[Pair, ...]
    """One prescription."""
    unsure: tuple[Pair, ...]
    """One may fill the other in part only, as the products differ (R4: ``basedOn`` is filled "in whole or in part")."""
    different: tuple[Pair, ...]
    """They cannot be one, as their ingredients differ."""


def linked(medications: Sequence[Medication]) -> Links:
    """What belongs together among ``medications``."""
    known = {each.reference: each for each in medications}
    same, unsure, different = set[Pair](), set[Pair](), set[Pair]()
    for first, second in _named(medications):
        if first not in known or second not in known or first == second:
            continue
        one, other = known[first], known[second]
        if one.product.ingredients != other.product.ingredients:
            different.add((first, second))
        elif second in told_of(one) and one.is_request and not same_product(one, other):
            unsure.add((first, second))
        else:
            same.add((first, second))
    active = [each for each in medications if each.activity.active and each.product.parts]
    told = [*sorted(same), *_came_twice(active)]
    return Links((*told, *_repeated(active, told)), tuple(sorted(unsure)), tuple(sorted(different)))


def _named(medications: Sequence[Medication]) -> Iterator[Pair]:
    by_identifier: dict[Pair, list[str]] = defaultdict(list)
    for each in medications:
        yield from ((each.reference, target) for target in told_of(each))
        if (prior := replaced_by(each)) is not None:
            yield each.reference, prior
        for identifier in objects(each.resource.get("identifier")):
            system, value = string(identifier, "system"), string(identifier, "value")
            if system and value:
                by_identifier[(system, value)].append(each.reference)
    for references in by_identifier.values():
        yield from combinations(references, 2)


def _came_twice(medications: Sequence[Medication]) -> Iterator[Pair]:
    """Pairs of copies, and of one prescription that came from two sources."""
    first: dict[str, str] = {}
    for each in medications:
        yield first.setdefault(_content(each), each.reference), each.reference
    for orders in _by_order(medications).values():
        for one, other in combinations(orders, 2):
            if same_dose(one, other):
                yield one.reference, other.reference


def _repeated(medications: Sequence[Medication], same: Sequence[Pair]) -> Iterator[Pair]:
    """For statements without a link to an active prescription: the one that says what they say, the newest of several,
    or another such statement. One pair for each set, so that no statement makes one of two prescriptions."""
    active = sorted(medications, key=lambda each: (each.activity.since or date.min, each.reference), reverse=True)
    requests = [each for each in active if each.is_request]
    of = {each.reference: each for each in active}
    sets = [[of[each] for each in sorted(group)] for group in groups(of, same)]
    alone = [each for each in sets if not any(one.is_request for one in each)]
    for place, statements in enumerate(alone):
        before = [each for earlier in alone[:place] for each in earlier]
        pairs = ((other, each) for other in (*requests, *before) for each in statements if same_dose(other, each))
        if (found := next(pairs, None)) is not None:
            yield found[0].reference, found[1].reference


_OF_THE_COPY = frozenset({"id", "meta", "text", "implicitRules", "language"})
"""Elements in which two copies of one resource may differ."""


def _content(medication: Medication) -> str:
    """All that a resource says, the same for a copy."""
    kept = {name: value for name, value in medication.resource.items() if name not in _OF_THE_COPY}
    return json.dumps(kept, sort_keys=True, default=str)


def _by_order(medications: Iterable[Medication]) -> dict[tuple[date, str], list[Medication]]:
    """Prescriptions by their day and prescriber: those that say the same are one."""
    found: dict[tuple[date, str], list[Medication]] = defaultdict(list)
    for each in medications:
        if each.is_request and each.activity.since is not None and each.prescriber is not None:
            found[(each.activity.since, each.prescriber)].append(each)
    return found


def same_dose(one: Medication, other: Medication) -> bool:
    """Same ingredients, strengths, form and known doses."""
    if not same_product(one, other) or any(part.strength is None for part in one.product.parts):
        return False
    known = all(dose.known for each in (one, other) for dose in each.doses)
    return known and [_figures(one)] == [_figures(other)] and one.as_needed == other.as_needed


def same_product(one: Medication, other: Medication) -> bool:
    """Same ingredients, and no strength or form that differs where both say it."""
    if one.product.ingredients != other.product.ingredients:
        return False
    strengths = zip(one.product.parts, other.product.parts, strict=True)
    if any(a.strength and b.strength and a.strength != b.strength for a, b in strengths):
        return False
    return Form.UNKNOWN in (forms := {one.product.form, other.product.form}) or len(forms) == 1


def _figures(medication: Medication) -> list[object]:
    return [(each.ingredient.name, each.mg_per_day, each.mcg_per_hour, each.at_most) for each in medication.doses]


def replaced(medications: Mapping[str, Medication]) -> frozenset[str]:
    """References of those that an active prescription with the same ingredients replaces, at any remove, of their
    copies, and of the statements that tell of them only."""
    gone, instead = set[str](), set[str]()
    for each in medications.values():
        if each.activity.active and (before := _before(each, medications)):
            gone |= before
            instead.add(each.reference)
    gone |= _copies_of([medications[each] for each in gone], medications.values(), instead)
    stale = {
        reference
        for reference, each in medications.items()
        if not each.is_request and (targets := told_of(each)) and gone.issuperset(targets)
    }
    return frozenset(gone | stale)


def _copies_of(old: Sequence[Medication], all_: Iterable[Medication], but_not: set[str]) -> set[str]:
    """References of the active prescriptions that tell of one of ``old`` again."""
    contents, orders = {_content(each) for each in old}, _by_order(old)
    found = set[str]()
    for each in all_:
        if not each.is_request or not each.activity.active or each.reference in but_not:
            continue
        same_day = orders.get((each.activity.since or date.min, each.prescriber or ""), [])
        if _content(each) in contents or any(same_dose(each, one) for one in same_day):
            found.add(each.reference)
    return found


def _before(medication: Medication, medications: Mapping[str, Medication]) -> set[str]:
    found = set[str]()
    prior = replaced_by(medication)
    while prior is not None and prior in medications and prior not in found and prior != medication.reference:
        before = medications[prior]
        if not before.is_request or before.product.ingredients != medication.product.ingredients:
            break
        found.add(prior)
        prior = replaced_by(before)
    return found


def groups(references: Iterable[str], pairs: Iterable[Pair]) -> list[frozenset[str]]:
    """The connected sets, in the order of their first reference."""
    of: dict[str, set[str]] = {reference: {reference} for reference in references}
    for first, second in pairs:
        if first in of and second in of and of[first] is not of[second]:
            together = of[first] | of[second]
            of.update(dict.fromkeys(together, together))
    return sorted({frozenset(each) for each in of.values()}, key=min)
