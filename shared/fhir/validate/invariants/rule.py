"""What an invariant is, and the words that rules are written in (http://hl7.org/fhir/R4/conformance-rules.html#constraints)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

Value = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Invariant:
    """One rule of R4 on the object at ``context``: a type (``Period``) or a nested element (``CarePlan.activity``).

    ``holds`` sees only objects whose structure and datatypes were found right."""

    id: str
    context: str
    text: str
    holds: Callable[[Value], bool]
    severity: str = "error"


def has(value: Value, *names: str) -> bool:
    """Whether any of the elements is there, be it only by an extension."""
    return any(name in value or f"_{name}" in value for name in names)


def has_choice(value: Value, name: str) -> bool:
    """Whether ``name[x]`` is there, in any of its types."""
    return any(member.lstrip("_").startswith(name) for member in value)


def has_code(concept: Value, system: str, *codes: str) -> bool:
    """Whether one coding of the CodeableConcept is one of ``codes`` of ``system``."""
    return any(coding.get("system") == system and coding.get("code") in codes for coding in concept.get("coding", ()))


def only_with(value: Value, name: str, *others: str) -> bool:
    """``name`` is absent, or all ``others`` are there."""
    return not has(value, name) or all(has(value, other) for other in others)


def certainly_later(first: str, second: str) -> bool:
    """Whether the date, dateTime or instant ``first`` is after ``second`` however their precision is filled in.

    A time without a zone does not exist in FHIR, a date has none; so a date and a time are a day apart before they are
    held to differ."""
    if "T" in first and "T" in second:
        return _moment(first) > _moment(second)
    one, other = first[:10], second[:10]
    precision = min(len(one), len(other))
    if len(first) <= 10 and len(second) <= 10:
        return one[:precision] > other[:precision]
    if precision < 10:
        return one[:precision] > other[:precision] and not _near(one, other)
    return date.fromisoformat(one) - date.fromisoformat(other) > timedelta(days=1)


def in_order(value: Value, earlier: str, later: str) -> bool:
    """Not ``earlier`` after ``later``, where both are given."""
    return earlier not in value or later not in value or not certainly_later(value[earlier], value[later])


def _moment(text: str) -> datetime:
    """A leap second is taken as the one before it."""
    return datetime.fromisoformat(text.replace(":60", ":59", 1))


def _near(one: str, other: str) -> bool:
    """Whether the longer of the two is within a day of the edge of the shorter one's month or year."""
    longer = one if len(one) == 10 else other
    day = date.fromisoformat(longer).toordinal()
    neighbours = (date.fromordinal(each) for each in (day - 1, day + 1) if 1 <= each <= date.max.toordinal())
    return any(each.isoformat().startswith((one, other)) for each in neighbours)
