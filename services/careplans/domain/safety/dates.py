"""FHIR dates of any precision as the days that they may mean (http://hl7.org/fhir/R4/datatypes.html#dateTime)."""

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from services.careplans.domain.safety.reading import child, number, string
from shared.fhir.json import Resource

_DATE = re.compile(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?(?:T.*)?")
_DAYS = {"h": Decimal(1) / 24, "d": Decimal(1), "wk": Decimal(7), "mo": Decimal(30), "a": Decimal(365)}
_DAYS |= {"day": _DAYS["d"], "days": _DAYS["d"], "week": _DAYS["wk"], "weeks": _DAYS["wk"]}
_DAYS |= {"month": _DAYS["mo"], "months": _DAYS["mo"], "year": _DAYS["a"], "years": _DAYS["a"]}


@dataclass(frozen=True, slots=True)
class Days:
    """The first and the last day that a date can mean: of ``2024-02`` the 1st and the 29th."""

    first: date
    last: date


def days_of(value: Any) -> Days | None:
    """The days of a FHIR date, dateTime or instant, as written (no zone is applied); None for anything else."""
    match = _DATE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    year, month, day = (int(part) if part else None for part in match.groups())
    try:
        if year is None or month is None:
            return Days(date(year or 0, 1, 1), date(year or 0, 12, 31))
        if day is None:
            return Days(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]))
        return Days(date(year, month, day), date(year, month, day))
    except ValueError:  # no such day; calendar's own error is one, too
        return None


def start_of(period: Resource) -> date | None:
    """The first day that a Period may have begun on."""
    days = days_of(period.get("start"))
    return days.first if days else None


def end_of(period: Resource) -> date | None:
    """The last day that a Period may have ended on."""
    days = days_of(period.get("end"))
    return days.last if days else None


def length_of(duration: Resource) -> timedelta | None:
    """The length of a Duration, in whole days, rounded up; None where its unit is no time."""
    value, unit = number(duration, "value"), string(duration, "code") or string(duration, "unit")
    factor = _DAYS.get((unit or "").lower())
    if value is None or factor is None:
        return None
    days = -int(-(value * factor) // 1)
    return timedelta(days) if days <= timedelta(days=200 * 365).days else None


def after(day: date, length: timedelta) -> date:
    """``day + length``, and no later than the calendar goes."""
    return day + min(length, date.max - day)


def ages(birth: Days, on: date) -> tuple[int, int]:
    """The lowest and the highest age in whole years that somebody born on one of these days can have."""
    return _age(birth.last, on), _age(birth.first, on)


def _age(born: date, on: date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def bounds_of(repeat: Resource, begun: date | None) -> tuple[date | None, date | None]:
    """First and last day of ``Timing.repeat.bounds[x]``; a length counts from ``begun``."""
    period = child(repeat, "boundsPeriod")
    if period:
        return start_of(period), end_of(period)
    length = length_of(child(repeat, "boundsDuration") or child(child(repeat, "boundsRange"), "high"))
    return begun, after(begun, length) if begun is not None and length is not None else None
