"""Masses, volumes and rates in one unit each, by ``pint``; units of its own registry, so that ``MG`` is no megagauss.

Units are UCUM's (https://ucum.org) and those that people and RxNorm write.
"""

from dataclasses import dataclass
from decimal import Decimal

import pint

_units: "pint.UnitRegistry[Decimal]" = pint.UnitRegistry(None, non_int_type=Decimal)
for _definition in (
    "milli- = 0.001 = m-",
    "micro- = 0.000001 = u-",
    "kilo- = 1000 = k-",
    "gram = [mass] = g",
    "litre = [volume] = L",
    "hour = [time] = h",
    "minute = hour / 60 = min",
    "day = 24 * hour = d",
    "week = 7 * day = wk",
):
    _units.define(_definition)

_WRITTEN = {
    "mg": "mg",
    "milligram": "mg",
    "milligrams": "mg",
    "mcg": "ug",
    "ug": "ug",
    "µg": "ug",
    "μg": "ug",
    "microgram": "ug",
    "micrograms": "ug",
    "g": "g",
    "gm": "g",
    "gram": "g",
    "grams": "g",
    "kg": "kg",
    "ml": "mL",
    "milliliter": "mL",
    "milliliters": "mL",
    "millilitre": "mL",
    "millilitres": "mL",
    "l": "L",
    "liter": "L",
    "litre": "L",
    "h": "h",
    "hr": "h",
    "hrs": "h",
    "hour": "h",
    "hours": "h",
    "min": "min",
    "d": "d",
    "day": "d",
    "days": "d",
    "24hr": "d",
    "24h": "d",
    "wk": "wk",
    "week": "wk",
    "cc": "mL",
}
"""As written, in lower case, to what the registry knows."""

MG, ML, HOUR, DAY = "mg", "mL", "h", "d"
MG_PER_ML, MCG_PER_HOUR, MG_PER_DAY, PER_DAY = "mg/mL", "ug/h", "mg/d", "1/d"


@dataclass(frozen=True, slots=True)
class Amount:
    """A value in a unit of the registry."""

    value: Decimal
    unit: str

    def to(self, unit: str) -> Decimal | None:
        """The value in ``unit``; None where it measures something else."""
        try:
            return Decimal(_units.Quantity(self.value, self.unit).to(unit).magnitude)
        except pint.DimensionalityError:
            return None

    def per(self, other: "Amount") -> "Amount | None":
        """This by ``other``; None where that is zero."""
        if not other.value:
            return None
        found = _units.Quantity(self.value, self.unit) / _units.Quantity(other.value, other.unit)
        return Amount(Decimal(found.magnitude), str(found.units))


def amount(value: Decimal | None, unit: str | None) -> Amount | None:
    """The amount as somebody wrote it, such as 75 ``mcg/h``; None where the unit is no mass, volume, time or rate."""
    if value is None or unit is None:
        return None
    parts = [_WRITTEN.get(part.strip().lower()) for part in unit.split("/")]
    if len(parts) > 2 or None in parts:
        return None
    return Amount(value, " / ".join(part for part in parts if part))


def plain(value: Decimal) -> str:
    """The number for people: two decimals at most, no exponent."""
    rounded = value.quantize(Decimal("0.01"))
    return f"{rounded.normalize():f}"
