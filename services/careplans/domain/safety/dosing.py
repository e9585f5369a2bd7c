"""The daily dose of each ingredient by a prescription's dosage instructions
(http://hl7.org/fhir/R4/dosage.html). What cannot be known is a gap with the element and the reason, never a number.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from services.careplans.domain.safety.amounts import COUNTED, Unknown, given_dose, limit_of, mass_of, rate_of
from services.careplans.domain.safety.dates import bounds_of
from services.careplans.domain.safety.directions import said
from services.careplans.domain.safety.gaps import Gap
from services.careplans.domain.safety.ingredients import Ingredient
from services.careplans.domain.safety.products import Form, Part, Product
from services.careplans.domain.safety.quantities import (
    MCG_PER_HOUR,
    MG,
    MG_PER_DAY,
    Amount,
    plain,
)
from services.careplans.domain.safety.reading import child, number, objects, string
from services.careplans.domain.safety.timing import Often, often
from shared.fhir.json import Resource

_AS_NEEDED = re.compile(r"\b(as needed|prn|if needed|when needed)\b", re.IGNORECASE)
_MOST_PATCHES = Decimal(1)
"""Applications a day: a patch for pain stays on for days, and what says otherwise is a mistake."""
_EARLY = Decimal("1.5")
"""Share of its time: what is put on more often than after 48 of 72 hours may be worn with the one before."""
_NEAR = Decimal("0.01")
"""Share by which two figures of the same thing may differ."""


@dataclass(frozen=True, slots=True)
class Dose:
    """What is taken of one ingredient: mg per day, or mcg per hour from patches; one of them, or gaps that say why not.

    ``at_most``: an upper bound, because it is as needed, or a range."""

    ingredient: Ingredient
    mg_per_day: Decimal | None = None
    mcg_per_hour: Decimal | None = None
    at_most: bool = False
    gaps: tuple[Gap, ...] = ()

    @property
    def known(self) -> bool:
        """Whether there is a figure."""
        return self.mg_per_day is not None or self.mcg_per_hour is not None


def instructions_of(resource: Resource) -> tuple[str, list[Resource]]:
    """The path and the dosages of a MedicationRequest or MedicationStatement."""
    name = "dosage" if resource.get("resourceType") == "MedicationStatement" else "dosageInstruction"
    return f"{resource.get('resourceType')}.{name}", objects(resource.get(name))


def is_as_needed(instruction: Resource) -> bool:
    """Whether it says so by an element or in its text."""
    said = instruction.get("asNeededBoolean") is True or "asNeededCodeableConcept" in instruction
    return said or bool(_AS_NEEDED.search(string(instruction, "text") or ""))


def doses_of(resource: Resource, reference: str, product: Product, begun: date | None, as_of: date) -> tuple[Dose, ...]:
    """The dose of each known ingredient of ``product`` by ``resource``, as it is on the day ``as_of``."""
    path, instructions = instructions_of(resource)
    current = [each for each in instructions if _runs(each, begun, as_of)]
    if not current:
        gap = Gap(reference, path, "no dosage is given")
        return tuple(Dose(part.ingredient, gaps=(gap,)) for part in product.parts)
    return tuple(_together(part, product, current, reference, path) for part in product.parts)


def _runs(instruction: Resource, begun: date | None, as_of: date) -> bool:
    first, last = bounds_of(child(child(instruction, "timing"), "repeat"), begun)
    return (first is None or first <= as_of) and (last is None or last >= as_of)


def _together(part: Part, product: Product, current: Sequence[Resource], reference: str, path: str) -> Dose:
    """Instructions with the same sequence number are concurrent and add up; others follow each other: the largest."""
    steps: dict[object, list[Dose]] = {}
    for instruction in current:
        sequence = number(instruction, "sequence")
        found = _by_instruction(part, product, instruction)
        if isinstance(found, Unknown):
            above = path.partition(".")[0] if found.element == "medication[x]" else path
            gap = Gap(reference, f"{above}.{found.element}", found.reason)
            found = Dose(part.ingredient, gaps=(gap,))
        steps.setdefault(sequence, []).append(found)
    sums = [_sum(doses) for doses in steps.values()]
    gaps = tuple(dict.fromkeys(gap for each in sums for gap in each.gaps))
    if gaps or len(sums) == 1:
        return sums[0] if len(sums) == 1 else Dose(part.ingredient, gaps=gaps)
    largest = max(sums, key=_size)
    return Dose(part.ingredient, largest.mg_per_day, largest.mcg_per_hour, at_most=True)


def _size(dose: Dose) -> tuple[Decimal, Decimal]:
    return dose.mcg_per_hour or Decimal(0), dose.mg_per_day or Decimal(0)


def _sum(doses: Sequence[Dose]) -> Dose:
    if len(doses) == 1:
        return doses[0]
    gaps = tuple(dict.fromkeys(gap for dose in doses for gap in dose.gaps))
    ingredient = doses[0].ingredient
    if gaps:
        return Dose(ingredient, gaps=gaps)
    mg = [dose.mg_per_day for dose in doses if dose.mg_per_day is not None]
    rate = [dose.mcg_per_hour for dose in doses if dose.mcg_per_hour is not None]
    at_most = any(dose.at_most for dose in doses)
    zero = Decimal(0)
    return Dose(ingredient, sum(mg, zero) if mg else None, sum(rate, zero) if rate else None, at_most)


def _by_instruction(part: Part, product: Product, instruction: Resource) -> Dose | Unknown:
    return _contradicted(part, product, instruction) or _by_elements(part, product, instruction)


def _contradicted(part: Part, product: Product, instruction: Resource) -> Unknown | None:
    """Whether the text says another dose than the elements: 2 once a day is 1 twice a day."""
    text = said(string(instruction, "text"))
    timing, each = often(child(instruction, "timing")), given_dose(instruction)
    times = timing.per_day if isinstance(timing, Often) else None
    pieces = None if isinstance(each, Unknown) else _pieces(product, *each[:2])
    if text.per_day and text.pieces and times and pieces and not _differ(text.per_day * text.pieces, times * pieces):
        return None
    if text.per_day and times and _differ(text.per_day, times):
        return Unknown("text", f"the text says {plain(text.per_day)} times a day, the timing {plain(times)}")
    if text.pieces and pieces and _differ(text.pieces, pieces):
        return Unknown("text", f"the text says {plain(text.pieces)} at a time, the dose {plain(pieces)}")
    return None if isinstance(each, Unknown) else _other_mass(part, product, text.mg, *each[:2])


def _pieces(product: Product, value: Decimal, unit: str | None) -> Decimal | None:
    counted = product.form is Form.COUNTED if unit is None else COUNTED.fullmatch(unit)
    return value if counted else None


def _other_mass(
    part: Part, product: Product, said_mg: Decimal | None, value: Decimal, unit: str | None
) -> Unknown | None:
    """Whether the text names another mass than the dose; the strength may stand in it, as in "two 5 mg tablets"."""
    mass = mass_of(part, product, value, unit)
    if said_mg is None or not product.alone or isinstance(mass, Unknown) or not _differ(said_mg, mass):
        return None
    strength = part.strength.to(MG) if part.strength else None
    if strength is not None and not _differ(said_mg, strength):
        return None
    return Unknown("text", f"the text says {plain(said_mg)} mg, the dose {plain(mass)} mg")


def _differ(text: Decimal, element: Decimal) -> bool:
    return abs(text - element) > _NEAR * max(text, element)


def _by_elements(part: Part, product: Product, instruction: Resource) -> Dose | Unknown:
    rate = rate_of(instruction)
    if product.form is Form.PATCH or (rate is not None and product.form is Form.UNKNOWN):
        return _patch(part, product, rate, instruction)
    if rate is not None:
        daily = rate[0].to(MG_PER_DAY) if product.alone else None
        if daily is None:
            return Unknown("doseAndRate.rate[x]", "the rate is no mass per time of one ingredient")
        return Dose(part.ingredient, daily, at_most=True)
    each = given_dose(instruction)
    mass = each if isinstance(each, Unknown) else mass_of(part, product, *each[:2])
    times = often(child(instruction, "timing"))
    limit = limit_of(part, product, instruction)
    at_most = is_as_needed(instruction) or (not isinstance(each, Unknown) and each[2])
    if isinstance(mass, Unknown) or not isinstance(times, Often):
        if limit is not None:
            return Dose(part.ingredient, limit, at_most=True)
        return mass if isinstance(mass, Unknown) else Unknown(str(times), "how often it is taken cannot be told")
    daily = mass * times.per_day
    if limit is not None and limit < daily:
        return Dose(part.ingredient, limit, at_most=True)
    return Dose(part.ingredient, daily, at_most=at_most or times.at_most)


def _patch(part: Part, product: Product, rate: tuple[Amount, bool] | None, instruction: Resource) -> Dose | Unknown:
    """Patches give their rate as long as they are worn, however often they are changed: mcg/h, never times the days."""
    as_needed = is_as_needed(instruction)
    if rate is not None:
        return Dose(part.ingredient, mcg_per_hour=rate[0].to(MCG_PER_HOUR), at_most=as_needed or rate[1])
    each = given_dose(instruction)
    if isinstance(each, Unknown):
        return each
    value, unit, range_ = each
    if unit is not None and not COUNTED.fullmatch(unit):
        return Unknown("doseAndRate.dose[x].unit", "the dose of a patch is neither a number of patches nor a rate")
    per_patch = part.strength.to(MCG_PER_HOUR) if part.strength else None
    if per_patch is None:
        return Unknown("medication[x]", f"how much {part.ingredient.name} a patch gives per hour is not stated")
    times = often(child(instruction, "timing"))
    if isinstance(times, Often) and times.per_day > _MOST_PATCHES:
        return Unknown("timing.repeat", "a patch more often than once a day cannot be meant")
    if isinstance(times, Often) and product.wear and times.per_day * product.wear / 24 > _EARLY:
        return Unknown("timing.repeat", f"a patch for {product.wear} hours so often: nobody knows how many are worn")
    return Dose(part.ingredient, mcg_per_hour=value * per_patch, at_most=as_needed or range_)
