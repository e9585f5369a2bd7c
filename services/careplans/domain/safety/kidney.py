"""The latest estimated glomerular filtration rate, in mL/min/1.73 m2, with its date.

LOINC codes as public value sets of kidney function name them (MDRD, CKD-EPI, cystatin C); 98979-8 and 98980-6 (CKD-EPI
2021) are from memory, unverified. A value in another unit is refused and said so.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from services.careplans.domain.safety.dates import Days, days_of, end_of
from services.careplans.domain.safety.quantities import amount
from services.careplans.domain.safety.reading import LOINC, child, codings, number, own_reference, string
from shared.fhir.json import Resource

CODES = frozenset(
    "33914-3 48642-3 48643-1 50044-7 70969-1 50210-4 62238-1 69405-9 76633-7 77147-7 88293-6 88294-4"
    " 98979-8 98980-6".split()
)
FINAL = frozenset({"final", "amended", "corrected"})
_PER_AREA = re.compile(r"/\s*\{?\s*1\.73\s*_?\s*(?:m2|m\^2|sq\.?\s*m|m²)?\s*\}?$", re.I)
ML_PER_MIN = "mL/min"


@dataclass(frozen=True, slots=True)
class Egfr:
    """One result. ``low`` and ``high``: what a value with a comparator may be; None where there is no end."""

    reference: str
    day: date
    text: str
    low: Decimal | None
    high: Decimal | None


def latest(observations: Sequence[Resource], as_of: date) -> tuple[Egfr | None, tuple[str, ...]]:
    """The latest result up to ``as_of``, and what is to be said about newer ones that cannot be read."""
    dated = [
        (days.last, own_reference(each), each)
        for each in observations
        if _is_egfr(each) and (days := _days(each)) is not None and days.last <= as_of
    ]
    refused = list[str]()
    for day, reference, each in sorted(dated, key=lambda found: found[:2], reverse=True):
        quantity = child(each, "valueQuantity")
        value = _value(quantity)
        if value is not None:
            return _result(reference, day, quantity, value), tuple(refused)
        refused.append(f"{reference}: the eGFR has no value in mL/min/1.73 m2")
    return None, tuple(refused)


def _is_egfr(observation: Resource) -> bool:
    coded = any(system == LOINC and code in CODES for system, code in codings(child(observation, "code")))
    return coded and string(observation, "status") in FINAL


def _days(observation: Resource) -> Days | None:
    over = end_of(child(observation, "effectivePeriod"))
    found = (days_of(observation.get(name)) for name in ("effectiveDateTime", "effectiveInstant", "issued"))
    return next((each for each in found if each), Days(over, over) if over else None)


def _value(quantity: Resource) -> Decimal | None:
    unit = string(quantity, "code") or string(quantity, "unit")
    found = amount(number(quantity, "value"), _PER_AREA.sub("", unit) if unit else None)
    return found.to(ML_PER_MIN) if found else None


def _result(reference: str, day: date, quantity: Resource, value: Decimal) -> Egfr:
    comparator = string(quantity, "comparator") or ""
    low = None if comparator.startswith("<") else value
    high = None if comparator.startswith(">") else value
    return Egfr(reference, day, f"{comparator}{value:f} mL/min/1.73 m2", low, high)
