"""FHIR dates as ranges."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.fhir.search.instants import micros, span

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "first", "length"),
    [
        ("2024", "2024-01-01T00:00:00Z", timedelta(days=366)),
        ("2023-12", "2023-12-01T00:00:00Z", timedelta(days=31)),
        ("2024-02", "2024-02-01T00:00:00Z", timedelta(days=29)),
        ("2024-02-29", "2024-02-29T00:00:00Z", timedelta(days=1)),
        ("2024-02-29T10:30", "2024-02-29T10:30:00Z", timedelta(minutes=1)),
        ("2024-02-29T10:30:05Z", "2024-02-29T10:30:05Z", timedelta(seconds=1)),
        ("2024-02-29T10:30:05+02:00", "2024-02-29T08:30:05Z", timedelta(seconds=1)),
        ("2024-02-29T22:30:05-05:30", "2024-03-01T04:00:05Z", timedelta(seconds=1)),
        ("2024-02-29T10:30:05.25Z", "2024-02-29T10:30:05.250Z", timedelta(milliseconds=10)),
        ("2024-02-29T10:30:05.123456789Z", "2024-02-29T10:30:05.123456Z", timedelta(microseconds=1)),
        ("9999-12-31", "9999-12-31T00:00:00Z", timedelta(days=1)),
        ("0001-01", "0001-01-01T00:00:00Z", timedelta(days=31)),
    ],
)
def test_a_date_covers_what_its_precision_says(text: str, first: str, length: timedelta) -> None:
    low, high = span(text)
    assert low == micros(datetime.fromisoformat(first))
    assert high - low == length // timedelta(microseconds=1)


@pytest.mark.parametrize(
    "text", ["", "24", "2024-13", "2024-02-30", "2024-1-1", "2024-01-01T25:00", "today", "2024-01-01T"]
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        span(text)


@given(st.datetimes(timezones=st.just(UTC)))
def test_microseconds_agree_with_the_standard_library(moment: datetime) -> None:
    assert EPOCH + timedelta(microseconds=micros(moment)) == moment
    assert span(moment.strftime("%Y").zfill(4))[0] <= micros(moment) < span(moment.strftime("%Y").zfill(4))[1]
