"""Deadlines in business time: by hand where the clocks change, by properties everywhere."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import hypothesis.strategies as st
import pytest
from hypothesis import assume, given

from services.referrals.domain.calendar import BusinessDays, Calendar, Hours, Length, after, share
from tests.unit.services.referrals.places import BERLIN, ZONES, berlin, calendars, days, hours, lengths, moments

EVERY_DAY = frozenset(range(7))


def nothing_free(day: date) -> bool:
    return False


def every_day(zone: str) -> Calendar:
    return Calendar(ZoneInfo(zone), nothing_free, EVERY_DAY)


@pytest.mark.parametrize(
    ("start", "count", "end"),
    [
        ("2026-03-02T10:30", 1, "2026-03-03T10:30"),  # a Monday
        ("2026-03-06T16:00", 1, "2026-03-09T16:00"),  # over a weekend
        ("2026-03-06T16:00", 5, "2026-03-13T16:00"),
        ("2026-03-07T11:00", 1, "2026-03-10T00:00"),  # a Saturday begins with Monday, all of which may be used
        ("2026-03-08T23:59", 2, "2026-03-11T00:00"),
        ("2026-04-02T09:00", 1, "2026-04-07T09:00"),  # over Good Friday and Easter Monday
        ("2026-04-03T09:00", 1, "2026-04-08T00:00"),
        ("2026-03-27T09:00", 1, "2026-03-30T09:00"),  # the night between is an hour short
        ("2026-10-23T09:00", 1, "2026-10-26T09:00"),  # or an hour long
        ("2026-12-31T12:00", 1, "2027-01-04T12:00"),
    ],
)
def test_the_deadline_is_at_the_same_time_on_the_nth_business_day(start: str, count: int, end: str) -> None:
    due = after(berlin(start), BusinessDays(count), BERLIN)
    assert due == berlin(end)
    assert due.tzinfo is UTC


@pytest.mark.parametrize(
    ("start", "hours_", "end"),
    [
        ("2026-03-06T23:00", 4, "2026-03-07T03:00"),
        ("2026-04-03T00:00", 48, "2026-04-05T00:00"),
        ("2026-03-29T00:00", 4, "2026-03-29T05:00"),
        ("2026-10-25T00:00", 4, "2026-10-25T03:00"),
    ],
)
def test_hours_run_round_the_clock(start: str, hours_: int, end: str) -> None:
    assert after(berlin(start), Hours(hours_), BERLIN) == berlin(end)


@pytest.mark.parametrize(
    ("fraction", "at"),
    [
        (0, "2026-03-05T10:00"),
        (0.5, "2026-03-06T10:00"),
        (0.75, "2026-03-06T22:00"),
        (1, "2026-03-09T10:00"),
        (1.5, "2026-03-10T10:00"),
        (0.875, "2026-03-09T04:00"),  # not in the weekend
    ],
)
def test_a_share_passes_on_business_days_only(fraction: float, at: str) -> None:
    assert share(berlin("2026-03-05T10:00"), BusinessDays(2), fraction, BERLIN) == berlin(at)


@pytest.mark.parametrize(
    ("zone", "start", "end"),
    [
        ("Europe/Berlin", "2026-03-28T02:30", "2026-03-29T03:00"),  # 02:00 to 03:00 is skipped
        ("Australia/Lord_Howe", "2026-10-03T02:15", "2026-10-04T02:30"),  # by half an hour
        ("Africa/Cairo", "2026-04-23T00:20", "2026-04-24T01:00"),  # from midnight
        ("America/Nuuk", "2026-03-27T23:30", "2026-03-28T22:59:59.999999"),  # until midnight
    ],
)
def test_a_time_that_the_clocks_skip_is_when_they_skip_it_but_on_that_day(zone: str, start: str, end: str) -> None:
    calendar = every_day(zone)
    begun, ended = (datetime.fromisoformat(each).replace(tzinfo=calendar.zone) for each in (start, end))
    assert after(begun, BusinessDays(1), calendar) == ended


def test_a_time_that_comes_twice_is_the_first_unless_the_wait_began_in_the_second() -> None:
    calendar = every_day("Europe/Berlin")
    assert after(berlin("2026-10-24T02:30"), BusinessDays(1), calendar) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    again = berlin("2026-10-25T02:30", fold=1)
    assert share(again, BusinessDays(1), 1 / 96, calendar) == datetime(2026, 10, 25, 1, 45, tzinfo=UTC)
    assert after(again, BusinessDays(1), calendar) == berlin("2026-10-26T02:30")


def test_who_began_in_an_hour_that_came_twice_may_end_in_one_that_is_skipped() -> None:
    calendar = every_day("Africa/Casablanca")  # an hour back for Ramadan, and forward after it
    begun = datetime(2026, 2, 15, 2, 30, tzinfo=calendar.zone, fold=1)
    assert after(begun, BusinessDays(35), calendar) == datetime(2026, 3, 22, 3, tzinfo=calendar.zone)


@given(moments, lengths, calendars)
def test_the_end_is_later_than_the_start(start: datetime, length: Length, calendar: Calendar) -> None:
    assert after(start, length, calendar) > start


@given(moments, days, calendars, st.floats(0, 2))
def test_no_deadline_is_on_a_day_without_business(
    start: datetime, length: Length, calendar: Calendar, fraction: float
) -> None:
    assert calendar.is_business_day(share(start, length, fraction, calendar).astimezone(calendar.zone).date())


@given(moments, calendars, st.integers(1, 40), st.integers(1, 40))
def test_a_longer_wait_ends_later(start: datetime, calendar: Calendar, shorter: int, more: int) -> None:
    for length in (BusinessDays, Hours):
        assert after(start, length(shorter), calendar) < after(start, length(shorter + more), calendar)


@given(moments, lengths, calendars, st.floats(0, 2), st.floats(0, 2))
def test_a_greater_share_is_never_earlier(
    start: datetime, length: Length, calendar: Calendar, one: float, other: float
) -> None:
    low, high = sorted((one, other))
    assert start <= share(start, length, low, calendar) <= share(start, length, high, calendar)


@given(moments, moments, lengths, calendars)
def test_who_begins_later_ends_no_earlier(one: datetime, other: datetime, length: Length, calendar: Calendar) -> None:
    first, second = sorted((one, other))
    # but for the hour that comes twice: by the clocks of the place it is the same
    assume(second - first > timedelta(hours=1))
    assert after(first, length, calendar) <= after(second, length, calendar)


@given(moments, lengths, calendars, st.sampled_from(ZONES), st.floats(0, 2))
def test_the_zone_in_which_the_start_is_told_does_not_matter(
    start: datetime, length: Length, calendar: Calendar, zone: str, fraction: float
) -> None:
    elsewhere = start.astimezone(ZoneInfo(zone))
    assert share(elsewhere, length, fraction, calendar) == share(start, length, fraction, calendar)


@given(moments, calendars, st.integers(1, 20), st.integers(1, 20))
def test_n_and_m_days_are_n_days_and_then_m(start: datetime, calendar: Calendar, n: int, m: int) -> None:
    between = after(start, BusinessDays(n), calendar)
    local = start.astimezone(calendar.zone)
    if calendar.is_business_day(local.date()):
        # a time that is skipped on the day between is forgotten there
        assume(between.astimezone(calendar.zone).time() == local.time())
    else:
        assume(between.astimezone(calendar.zone).hour == 0)
    assert after(between, BusinessDays(m), calendar) == after(start, BusinessDays(n + m), calendar)


@given(moments, hours, calendars)
def test_hours_are_real_time_everywhere(start: datetime, length: Hours, calendar: Calendar) -> None:
    assert after(start, length, calendar) - start == timedelta(hours=length.count)


@given(moments, days, calendars)
def test_the_nth_business_day_is_the_nth(start: datetime, length: BusinessDays, calendar: Calendar) -> None:
    first = calendar.business_day(start.astimezone(calendar.zone).date())
    last = after(start, length, calendar).astimezone(calendar.zone).date()
    passed = (first + timedelta(days=each) for each in range((last - first).days))
    assert sum(map(calendar.is_business_day, passed)) == length.count


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        after(datetime(2026, 3, 2, 10), BusinessDays(1), BERLIN)
    with pytest.raises(ValueError, match="backwards"):
        share(berlin("2026-03-02T10:00"), BusinessDays(1), -0.5, BERLIN)
    with pytest.raises(ValueError, match="business day"):
        after(berlin("2026-03-02T10:00"), BusinessDays(1), Calendar(BERLIN.zone, lambda day: True))
    for length in (BusinessDays, Hours):
        with pytest.raises(ValueError, match="positive"):
            length(0)
