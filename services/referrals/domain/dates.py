"""Dates of FHIR as days: what is said less precisely covers all that it may mean (http://hl7.org/fhir/R4/datatypes.html#dateTime)."""

import re
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:T.*)?)?)?")


@dataclass(frozen=True, slots=True)
class Days:
    """From the first to the last day, both included."""

    first: date
    last: date


def days_of(text: Any) -> Days | None:
    """``2026-02`` as its days; None for what is no date. A dateTime counts as the day that it is written with."""
    found = _DATE.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    year, month, day = (None if part is None else int(part) for part in found.groups())
    try:
        first = date(year or 0, month or 1, day or 1)
    except ValueError:
        return None
    if month is None:
        return Days(first, date(first.year, 12, 31))
    return Days(first, first if day else date(first.year, month, monthrange(first.year, month)[1]))


def days_of_period(period: Any) -> Days | None:
    """The days of a Period; an open end lasts. None where it says nothing, or ends before it begins."""
    if not isinstance(period, Mapping):
        return None
    start, end = days_of(period.get("start")), days_of(period.get("end"))
    if start is None and end is None:
        return None
    first, last = date.min if start is None else start.first, date.max if end is None else end.last
    return Days(first, last) if first <= last else None


def age_on(birth: Any, day: date) -> int | None:
    """Whole years of who was born on ``birth``, if it is one day or it makes no difference; None where unknown."""
    born = days_of(birth)
    if born is None or born.first > day:
        return None
    oldest, youngest = _years(born.first, day), _years(born.last, day)
    return oldest if oldest == youngest else None


def _years(born: date, day: date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
