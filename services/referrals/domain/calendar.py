"""Business time: so many hours round the clock, or so many business days of a place.

The business days of a place, one after the other, are its time line: nothing passes on the days between. A deadline is
at the time of day, on the clocks of the place, at which the wait began.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_LONGEST_REST = 366
"""Days without a business day after which it is the calendar that is wrong."""


@dataclass(frozen=True, slots=True)
class Hours:
    """Real time, round the clock."""

    count: int

    def __post_init__(self) -> None:
        _check_positive(self.count)

    def __str__(self) -> str:
        return f"{self.count} h"


@dataclass(frozen=True, slots=True)
class BusinessDays:
    """Business days of the place."""

    count: int

    def __post_init__(self) -> None:
        _check_positive(self.count)

    def __str__(self) -> str:
        return f"{self.count} d"


Length = Hours | BusinessDays


@dataclass(frozen=True, slots=True)
class Calendar:
    """When a place works. ``workdays`` are those of ``date.weekday()``: Monday is 0."""

    zone: ZoneInfo
    is_holiday: Callable[[date], bool]
    workdays: frozenset[int] = frozenset(range(5))

    def is_business_day(self, day: date) -> bool:
        """Whether somebody works on ``day``."""
        return day.weekday() in self.workdays and not self.is_holiday(day)

    def business_day(self, day: date) -> date:
        """``day``, or the first business day after it. Raises ``ValueError`` where there is none for a year."""
        for _ in range(_LONGEST_REST):
            if self.is_business_day(day):
                return day
            day += _DAY
        raise ValueError("The calendar has no business day.")


def after(start: datetime, length: Length, calendar: Calendar) -> datetime:
    """The end, in UTC, of a ``length`` that begins at ``start``. Raises ``ValueError`` for a start without a zone."""
    return share(start, length, 1, calendar)


def share(start: datetime, length: Length, fraction: float, calendar: Calendar) -> datetime:
    """When ``fraction`` (1.5 is half as long again) of ``length`` has passed since ``start``, in UTC.

    What begins on a weekend or a holiday begins with the next business day. Raises ``ValueError`` as ``after`` does,
    and for a negative fraction."""
    if start.tzinfo is None or fraction < 0:
        raise ValueError("A start has a zone, and time does not run backwards.")
    # by way of UTC, so that a time that the place's clocks skip becomes one that they show
    start = start.astimezone(UTC)
    if isinstance(length, Hours):
        return start + timedelta(hours=length.count) * fraction
    return _passed(start.astimezone(calendar.zone), timedelta(days=length.count) * fraction, calendar)


def _passed(local: datetime, working: timedelta, calendar: Calendar) -> datetime:
    day = calendar.business_day(local.date())
    begun = local.replace(tzinfo=None) - datetime.combine(local.date(), time())
    days, rest = divmod(working + begun if day == local.date() else working, _DAY)
    for _ in range(days):
        day = calendar.business_day(day + _DAY)
    # an hour that comes twice is its first, unless the wait began in its second
    fold = local.fold if day == local.date() else 0
    return _instant((datetime.combine(day, time()) + rest).replace(tzinfo=calendar.zone, fold=fold))


def _instant(local: datetime) -> datetime:
    """The instant of ``local``. A time that the clocks skip is when they skip it, or just before where that is the
    next day already."""
    instant = local.astimezone(UTC)
    shown = instant.astimezone(local.tzinfo)
    if shown.replace(tzinfo=None) == local.replace(tzinfo=None):
        return instant
    skipped = _transition(local.replace(fold=1).astimezone(UTC), instant, local)
    same_day = skipped.astimezone(local.tzinfo).date() == local.date()
    return skipped if same_day else skipped - timedelta.resolution


def _transition(low: datetime, high: datetime, local: datetime) -> datetime:
    """The second between ``low`` and ``high`` at which the offset of the zone of ``local`` changes."""
    offset = low.astimezone(local.tzinfo).utcoffset()
    seconds, low = int((high - low).total_seconds()), low.replace(microsecond=0)
    first, last = 0, seconds + 1
    while last - first > 1:
        middle = (first + last) // 2
        same = (low + timedelta(seconds=middle)).astimezone(local.tzinfo).utcoffset() == offset
        first, last = (middle, last) if same else (first, middle)
    return low + timedelta(seconds=last)


def _check_positive(count: int) -> None:
    if count <= 0:
        raise ValueError("A length is positive.")
