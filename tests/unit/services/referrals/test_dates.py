"""Days, ages and absences."""

from datetime import date
from typing import Any

import pytest

from services.referrals.domain.absence import absences_of, there_again
from services.referrals.domain.ages import AGE_GROUPS, AgeRange, takes
from services.referrals.domain.dates import Days, age_on, days_of, days_of_period


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026", Days(date(2026, 1, 1), date(2026, 12, 31))),
        ("2024-02", Days(date(2024, 2, 1), date(2024, 2, 29))),
        ("2026-02-03", Days(date(2026, 2, 3), date(2026, 2, 3))),
        ("2026-02-03T23:59:00-05:00", Days(date(2026, 2, 3), date(2026, 2, 3))),
        ("2026-02-30", None),
        ("2026-13", None),
        ("0000", None),
        ("", None),
        ("soon", None),
        (None, None),
        (2026, None),
    ],
)
def test_a_date_covers_all_days_that_it_may_mean(text: Any, expected: Days | None) -> None:
    assert days_of(text) == expected


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        ({"start": "2026-01", "end": "2026-02"}, Days(date(2026, 1, 1), date(2026, 2, 28))),
        ({"start": "2026-01"}, Days(date(2026, 1, 1), date.max)),
        ({"end": "2026"}, Days(date.min, date(2026, 12, 31))),
        ({"start": "2026-03", "end": "2026-02"}, None),
        ({}, None),
        ([], None),
    ],
)
def test_a_period_has_its_days_and_an_open_end_lasts(period: Any, expected: Days | None) -> None:
    assert days_of_period(period) == expected


@pytest.mark.parametrize(
    ("birth", "expected"),
    [
        ("1980-03-02", 46),
        ("1980-03-03", 45),
        ("1980", None),
        ("1980-01", 46),
        ("2026-03-02", 0),
        ("2026-03-03", None),
        (None, None),
    ],
)
def test_an_age_is_told_where_the_date_of_birth_tells_it(birth: str | None, expected: int | None) -> None:
    assert age_on(birth, date(2026, 3, 2)) == expected


@pytest.mark.parametrize(
    ("absent", "again"),
    [
        ([], "2026-03-02"),
        ([("2026-01", "2026-02")], "2026-03-02"),
        ([("2026-02", "2026-03-01"), ("2026-03-05", "2026-03-09")], "2026-03-02"),
        ([("2026-03-01", "2026-03-04"), ("2026-03-05", "2026-03-09")], "2026-03-10"),
        ([("2026-03-05", "2026-03-09"), ("2026-03-01", "2026-03-20")], "2026-03-21"),
        ([("2026-03", None)], None),
        ([(None, None)], "2026-03-02"),
    ],
)
def test_absences_that_meet_are_one(absent: list[tuple[str | None, str | None]], again: str | None) -> None:
    resource = {"notAvailable": [{"during": {"start": start, "end": end}} for start, end in absent]}
    found = there_again(absences_of(resource), date(2026, 3, 2))
    assert (found and found.isoformat()) == again


@pytest.mark.parametrize("age", [0, 11, 12, 17, 18, 64, 65, 100])
def test_every_age_is_in_one_group(age: int) -> None:
    assert sum(takes([group], age) for group in AGE_GROUPS.values()) == 1


def test_one_of_several_ranges_is_enough() -> None:
    assert takes([AgeRange(0, 5), AgeRange(40, None)], 40)
    assert not takes([AgeRange(0, 5), AgeRange(41, None)], 40)
