"""The order of dates and times of unlike precision: refused only where there is no doubt."""

import pytest

from shared.fhir.validate.invariants.rule import certainly_later


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2025", "2024"),
        ("2024-02", "2024-01-31"),
        ("2024-02-02", "2024-02-01"),
        ("2024-02-01T10:00:00Z", "2024-02-01T10:30:00+01:00"),
        ("2024-02-01T10:00:00.5Z", "2024-02-01T10:00:00Z"),
        ("2024-02-03", "2024-02-01T10:00:00Z"),
        ("2024-03-02T10:00:00Z", "2024-02"),
        ("9999-12-31T00:00:00Z", "9998"),
        ("2025", "0001-01-01T00:00:00Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00"),
    ],
)
def test_later_is_later(first: str, second: str) -> None:
    assert certainly_later(first, second)
    assert not certainly_later(second, first)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2024", "2024-05-01"),
        ("2024-05-01", "2024-05"),
        ("2024-02-02", "2024-02-01T23:00:00-05:00"),
        ("2024-02-02T03:00:00Z", "2024-02-01"),
        ("2024-03-01T02:00:00Z", "2024-02"),
        ("2025", "2024-12-31T22:00:00-08:00"),
        ("2024-12-31T23:59:60Z", "2024-12-31T23:59:59Z"),
        ("9999-12-31", "9999-12-31T00:00:00Z"),
        ("9999-12-31T00:00:00Z", "9999"),
        ("0001-01", "0001-01-01T00:00:00Z"),
    ],
)
def test_what_may_be_the_same_is_not_later(first: str, second: str) -> None:
    assert not certainly_later(first, second)
    assert not certainly_later(second, first)
