"""Places with their business days, and moments, also where the clocks are put forward and back."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import hypothesis.strategies as st

from services.referrals.domain.calendar import BusinessDays, Calendar, Hours

HOLIDAYS = frozenset({date(2026, 4, 3), date(2026, 4, 6), date(2026, 12, 25), date(2027, 1, 1)})
ZONES = (
    *("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Chatham"),
    # midnight is skipped; the last hour of a day is; the first comes twice; Ramadan has hours of its own
    *("Africa/Cairo", "America/Nuuk", "America/Havana", "Africa/Casablanca"),
)
BERLIN = Calendar(ZoneInfo("Europe/Berlin"), HOLIDAYS.__contains__)


def berlin(text: str, fold: int = 0) -> datetime:
    """A moment by the clocks of Berlin."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN.zone, fold=fold)


def _calendar(zone: str, workdays: frozenset[int], holidays: frozenset[date]) -> Calendar:
    return Calendar(ZoneInfo(zone), holidays.__contains__, workdays)


calendars = st.builds(
    _calendar,
    st.sampled_from(ZONES),
    st.frozensets(st.integers(0, 6), min_size=1),
    st.frozensets(st.dates(date(2026, 1, 1), date(2028, 1, 1)), max_size=30),
)
_anywhere = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))
# the nights in which clocks change, in some of the zones
_nights = st.builds(
    lambda night, minutes: datetime.fromisoformat(night).replace(tzinfo=UTC) + timedelta(minutes=minutes),
    st.sampled_from(["2026-03-08", "2026-03-28", "2026-04-05", "2026-04-24", "2026-10-04", "2026-10-25", "2026-11-01"]),
    st.integers(-1500, 3000),
)
moments = _anywhere | _nights
days = st.builds(BusinessDays, st.integers(1, 40))
hours = st.builds(Hours, st.integers(1, 100))
lengths = days | hours
