"""FHIR dates as half-open ranges of microseconds (http://hl7.org/fhir/R4/search.html#date).

A date without a time zone is taken as UTC.
"""

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)
_EPOCH = date(1970, 1, 1).toordinal()
_DAY = 86_400_000_000
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST, _LATEST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)


def _day(year: int, month: int, day: int) -> int:
    return (date(year, month, day).toordinal() - _EPOCH) * _DAY


@lru_cache(maxsize=8_192)
def span(text: str) -> tuple[int, int]:
    """The range that ``text`` covers by its precision: a year, month, day, minute, second or fraction.

    Raises ``ValueError`` for what is not a FHIR date."""
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError("not a date")
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    y = int(year)
    if month is None:
        return _day(y, 1, 1), _day(y, 12, 31) + _DAY
    m = int(month)
    if day is None:
        return _day(y, m, 1), _day(y, 12, 31) + _DAY if m == 12 else _day(y, m + 1, 1)
    start = _day(y, m, int(day))
    if hour is None:
        return start, start + _DAY
    h, mi, s = int(hour), int(minute), int(second or 0)
    if h > 24 or mi > 59 or s > 60 or (h == 24 and (mi or s)):
        raise ValueError("not a time")
    start += ((h * 60 + mi) * 60 + s) * 1_000_000
    if zone and zone != "Z":
        offset = (int(zone[1:3]) * 60 + int(zone[4:6])) * 60_000_000
        start += -offset if zone[0] == "+" else offset
    if second is None:
        return start, start + 60_000_000
    if fraction is None:
        return start, start + 1_000_000
    digits = fraction[1:7]
    start += int(digits.ljust(6, "0"))
    return start, start + 10 ** (6 - len(digits))


def micros(moment: datetime) -> int:
    """``moment`` in microseconds since 1970."""
    moment = moment.astimezone(UTC)
    seconds = (moment.hour * 60 + moment.minute) * 60 + moment.second
    return _day(moment.year, moment.month, moment.day) + seconds * 1_000_000 + moment.microsecond


def moment(microseconds: int) -> datetime:
    """What ``micros`` made; beyond the years that Python knows, the first or the last of them."""
    if microseconds <= 0 and timedelta(microseconds=-microseconds) > _BEGINNING - _EARLIEST:
        return _EARLIEST
    if microseconds > 0 and timedelta(microseconds=microseconds) > _LATEST - _BEGINNING:
        return _LATEST
    return _BEGINNING + timedelta(microseconds=microseconds)
