"""What one dosage instruction says of how much: a dose, a rate, a limit (http://hl7.org/fhir/R4/dosage.html).

What cannot be known is ``Unknown`` with the element and the reason, never a number.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from services.careplans.domain.safety.products import Form, Part, Product
from services.careplans.domain.safety.quantities import MCG_PER_HOUR, MG, MG_PER_ML, ML, PER_DAY, Amount, amount
from services.careplans.domain.safety.reading import child, codes, number, objects, string
from shared.fhir.json import Resource

COUNTED = re.compile(
    r"\{?(tab(let)?s?|cap(sule)?s?|caplets?|pills?|patch(es)?|films?|units?|each|doses?|suppositor(y|ies)"
    r"|lozenges?|troches?|TAB|CAP|PATCH|1)\}?|\[tab\]|\[cap\]",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Unknown:
    """What is missing or cannot be read: the element below the instruction, and why."""

    element: str
    reason: str


def given_dose(instruction: Resource) -> tuple[Decimal, str | None, bool] | Unknown:
    """Value, unit, and whether it is the upper end of a range. The ordered one counts before the calculated one."""
    doses = objects(instruction.get("doseAndRate"))
    doses.sort(key=lambda each: "ordered" not in codes(child(each, "type")))
    for each in doses:
        quantity = child(each, "doseQuantity")
        high = child(child(each, "doseRange"), "high")
        found = quantity or high
        value = number(found, "value")
        if value is not None:
            return value, string(found, "code") or string(found, "unit"), not quantity
        if found:
            return Unknown("doseAndRate.dose[x].value", "the dose has no value")
    if any(child(each, "doseRange") for each in doses):
        return Unknown("doseAndRate.doseRange.high", "the range has no upper end")
    return Unknown("doseAndRate.dose[x]", "no dose is given")


def mass_of(part: Part, product: Product, value: Decimal, unit: str | None) -> Decimal | Unknown:
    """The mg of the ingredient in one dose."""
    given = amount(value, unit)
    mg = given.to(MG) if given else None
    if mg is not None:
        if product.alone:
            return mg
        return Unknown("doseAndRate.dose[x].unit", "a mass of a combination does not tell which ingredient")
    strength = part.strength
    if strength is None:
        return Unknown("medication[x]", f"the strength of {part.ingredient.name} is not stated")
    millilitres = given.to(ML) if given else None
    if millilitres is not None:
        concentration = strength.to(MG_PER_ML)
        if concentration is None:
            return Unknown("medication[x]", "the dose is a volume and the strength no concentration")
        return millilitres * concentration
    counted = unit is None and product.form is Form.COUNTED
    if not counted and not (unit and COUNTED.fullmatch(unit)):
        return Unknown("doseAndRate.dose[x].unit", "the unit of the dose is missing or not known")
    per_piece = strength.to(MG)
    if per_piece is None:
        return Unknown("doseAndRate.dose[x].unit", "the dose is a number of pieces and the strength is not per piece")
    return value * per_piece


def limit_of(part: Part, product: Product, instruction: Resource) -> Decimal | None:
    """The mg per day of ``maxDosePerPeriod``."""
    for ratio in objects(instruction.get("maxDosePerPeriod")):
        numerator, denominator = child(ratio, "numerator"), child(ratio, "denominator")
        value = number(numerator, "value")
        unit = string(denominator, "code") or string(denominator, "unit")
        period = amount(number(denominator, "value"), unit)
        if value is None or period is None or not period.value:
            continue
        per = Amount(Decimal(1), "1").per(period)
        times = per.to(PER_DAY) if per else None
        mass = mass_of(part, product, value, string(numerator, "code") or string(numerator, "unit"))
        if times is not None and not isinstance(mass, Unknown):
            return mass * times
    return None


def rate_of(instruction: Resource) -> tuple[Amount, bool] | None:
    """A mass per time, wherever it stands, and whether it is the upper end of a range."""
    for each in objects(instruction.get("doseAndRate")):
        ratio = child(each, "rateRatio")
        numerator, denominator = child(ratio, "numerator"), child(ratio, "denominator")
        below = _quantity(denominator)
        above = _quantity(numerator)
        found = above.per(below) if above and below else None
        for name in ("rateQuantity", "doseQuantity"):
            found = found or _quantity(child(each, name))
        upper = _quantity(child(child(each, "rateRange"), "high")) or _quantity(child(child(each, "doseRange"), "high"))
        for amount_, at_most in ((found, False), (upper, True)):
            if amount_ is not None and amount_.to(MCG_PER_HOUR) is not None:
                return amount_, at_most
    return None


def _quantity(quantity: Resource) -> Amount | None:
    return amount(number(quantity, "value"), string(quantity, "code") or string(quantity, "unit"))
