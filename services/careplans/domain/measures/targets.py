"""The patient's own targets, from Goals (http://hl7.org/fhir/R4/goal-definitions.html#Goal.target)."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from services.careplans.domain.measures.catalogue import BY_CODE
from services.careplans.domain.measures.measure import Direction, Measure
from services.careplans.domain.measures.units import as_decimal, fits, number
from shared.fhir.json import Resource

PURSUED = frozenset({"planned", "accepted", "active"})
"""Goal.lifecycleStatus of what is aimed at now."""


def targets(goals: Iterable[Resource]) -> dict[str, Decimal]:
    """By measure id, the score to reach; of several, the furthest. One in another unit, or out of range, is none."""
    found: dict[str, Decimal] = {}
    for goal in goals:
        if goal.get("lifecycleStatus") not in PURSUED:
            continue
        for target in goal.get("target") or ():
            measure = _measure(target.get("measure"))
            value = None if measure is None else _value(measure, target)
            if measure is not None and value is not None:
                furthest = min if measure.direction is Direction.LOWER else max
                found[measure.id] = furthest(value, found.get(measure.id, value))
    return found


def _measure(concept: Any) -> Measure | None:
    codings = concept.get("coding") or () if isinstance(concept, dict) else ()
    keys = ((coding.get("system", ""), coding.get("code", "")) for coding in codings)
    return next((BY_CODE[key] for key in keys if key in BY_CODE), None)


def _value(measure: Measure, target: Resource) -> Decimal | None:
    if "detailInteger" in target:
        quantity: Any = {"value": target["detailInteger"]}
    else:
        # of a range, the end at which the goal is reached
        end = "high" if measure.direction is Direction.LOWER else "low"
        quantity = target.get("detailQuantity") or (target.get("detailRange") or {}).get(end) or {}
        # "at most 4" says what the direction says already
        if quantity.get("comparator") == ("<=" if measure.direction is Direction.LOWER else ">="):
            quantity = {key: value for key, value in quantity.items() if key != "comparator"}
    value = number(quantity.get("value")) if fits(measure.unit, quantity) else None
    return None if value is None or not measure.low <= value <= measure.high else Decimal(as_decimal(value))
