"""Numbers and their units (UCUM): scores with another unit are not mixed in."""

import re
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from services.careplans.domain.measures.measure import UCUM, Measure
from shared.fhir.json import Resource

_SCORES = frozenset({"score", "points", "point", "1", "t-score", "tscore"})
"""How plain numbers are labelled where a unit has no UCUM code."""
_PERCENT = frozenset({"%", "percent"})
_ANNOTATION = re.compile(r"\{[^{}]*\}").fullmatch
LONGEST = 30
"""Digits; a longer number is no score."""


def number(value: Any) -> Fraction | None:
    """``value`` exactly; None for what is no number."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    if isinstance(value, Decimal) and (not value.is_finite() or abs(value.adjusted()) > LONGEST):
        return None
    return Fraction(value)


def fits(unit: str, quantity: Resource) -> bool:
    """Whether a Quantity is in ``unit`` (UCUM), says nothing of its unit, or writes the same one otherwise.

    UCUM: what stands in braces is an annotation of the unit 1 (https://ucum.org/ucum, 2.4)."""
    if "comparator" in quantity:
        return False
    code, label = quantity.get("code"), quantity.get("unit")
    if code is not None:
        if quantity.get("system") not in (UCUM, None):
            return False
        return bool(code == unit if unit == "%" else code == "1" or _ANNOTATION(code))
    if label is None:
        return True
    word = label.strip().casefold().strip("{}")
    return word in (_PERCENT if unit == "%" else _SCORES)


def on_grid(measure: Measure, value: Fraction, decimals: int) -> Fraction:
    """What ``value`` stood for before it was rounded to ``decimals``, where scores have a grid; else ``value``.

    A PEG is a mean of three whole numbers: 6.7 stands for 20/3, and 30 % less than that is 14/3."""
    nearest = Fraction(round(value * measure.grid), measure.grid)
    return nearest if abs(nearest - value) <= Fraction(1, 2 * 10**decimals) else value


def decimals_of(value: Any) -> int:
    """Digits after the point, as written."""
    exponent = value.as_tuple().exponent if isinstance(value, Decimal) else 0
    return max(0, -exponent) if isinstance(exponent, int) else 0


def as_decimal(value: Fraction) -> Decimal | int:
    """For JSON: a whole number, or two decimals at most, half up."""
    if value.denominator == 1:
        return value.numerator
    rounded = (Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return rounded.normalize() if rounded != rounded.to_integral_value() else int(rounded)
