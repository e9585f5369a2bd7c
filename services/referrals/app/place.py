"""The place whose business days count, as the environment says."""

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from zoneinfo import ZoneInfo

from services.referrals.domain.calendar import Calendar
from services.referrals.settings import PlaceSettings, holidays_of


@lru_cache(maxsize=1)
def calendar_of_place() -> Calendar:
    """When the network works. Raises ``ValidationError`` where its settings do not hold."""
    settings = PlaceSettings()
    return Calendar(ZoneInfo(settings.time_zone), _nothing if settings.holidays is None else _of(settings.holidays))


def _of(place: str) -> Callable[[date], bool]:
    known = holidays_of(place)
    return lambda day: day in known


def _nothing(day: date) -> bool:
    return False
