"""Dates of resources, as far as they are given (http://hl7.org/fhir/R4/datatypes.html#dateTime)."""

from datetime import UTC, date, datetime
from typing import Any

_DATE_LENGTHS = (4, 7, 10)


def moment(text: Any) -> datetime | None:
    """The first moment that a date, dateTime or instant may mean, in UTC; None for what is none."""
    if not isinstance(text, str):
        return None
    whole = text + "-01-01"[len(text) - 4 :] if len(text) in (4, 7) else text
    try:
        parsed = datetime.fromisoformat(whole)
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):  # the first hours of the year 1, the last of 9999
        return None


def age(born: Any, today: date) -> int | None:
    """Whole years. A birth date without a day counts from the latest day that it may mean, so nobody is made older."""
    first = moment(born)
    if first is None or len(born) not in _DATE_LENGTHS:
        return None
    month, day = (12, 31) if len(born) == 4 else (first.month, 31) if len(born) == 7 else (first.month, first.day)
    years = today.year - first.year - ((today.month, today.day) < (month, day))
    return years if years >= 0 else None
