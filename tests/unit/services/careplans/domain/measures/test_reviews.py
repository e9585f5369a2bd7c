"""Which scores call for a review of the plan, and which do not."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.careplans.domain.measures.catalogue import BY_ID, MEASURES
from services.careplans.domain.measures.recency import REVIEW_WITHIN, URGENT_WITHIN, is_history
from services.careplans.domain.measures.reviews import Cause, causes
from services.careplans.domain.measures.series import Point

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
B, R, M = Cause.BAND, Cause.RESPONSE, Cause.MISSED


def points(*values: str, last: datetime = NOW) -> list[Point]:
    """Scores a week apart, the last of them at ``last``."""
    start = last - timedelta(weeks=len(values) - 1)
    return [
        Point(start + timedelta(weeks=week), Fraction(value), f"Observation/o{week}")
        for week, value in enumerate(values)
    ]


def added(measure: str, *values: str, target: str | None = None, last: datetime = NOW) -> tuple[Cause, ...]:
    """Why the last of ``values`` calls for a review, when it comes to the others."""
    rows = points(*values, last=last)
    goal = None if target is None else Decimal(target)
    return causes(rows[:-1], rows, BY_ID[measure], target=goal, since=None, now=NOW)


@pytest.mark.parametrize(
    ("measure", "values", "target", "expected"),
    [
        ("phq-9", ("21",), None, ()),  # a first score crosses nothing
        ("phq-9", ("20", "19"), "9", (B, M)),  # severe -> moderately severe; twice above 9
        ("phq-9", ("20", "21"), "27", ()),  # same band, no change, target kept
        ("phq-9", ("14", "15"), "20", (B,)),  # 15 begins a band
        ("phq-9", ("15", "14"), "20", (B,)),
        ("phq-9", ("18", "16"), "20", ()),
        ("phq-9", ("10", "15"), "20", (B, R)),  # 5 points worse: deteriorated
        ("phq-9", ("20", "15", "15"), "20", ()),  # still minimal, still in the band
        ("phq-9", ("20", "15", "10"), "20", (B, R)),  # 50 %: minimal -> responder
        ("phq-9", ("20", "10", "16"), "20", (B, R)),  # back to no change that matters
        ("phq-9", ("16", "16", "16"), "9", ()),  # the third in a row that misses: told at the second
        ("phq-9", ("16", "16", "16", "16"), "9", (M,)),  # and again at the fourth
        ("phq-9", ("16", "8", "16"), "9", (B, R)),  # one that kept it lies between; a responder no more
        ("peg", ("8", "8"), None, ()),  # no target is published, and none was set
        ("peg", ("8", "8"), "3", (M,)),
        ("peg", ("8", "6"), "3", (B, R)),  # a change that matters lies between: hold
        ("ort", ("3", "4"), None, (B,)),  # no classes, but bands
        ("start-back", ("1", "9"), None, ()),
        ("promis-29-physical-function", ("46", "45"), None, (B,)),
    ],
)
def test_a_new_score_calls_for_a_review(
    measure: str, values: tuple[str, ...], target: str | None, expected: tuple[Cause, ...]
) -> None:
    assert added(measure, *values, target=target) == expected


def test_a_score_of_long_ago_calls_for_none() -> None:
    edge = NOW - REVIEW_WITHIN
    assert added("phq-9", "9", "15", last=edge) == (B, R, M)
    assert added("phq-9", "9", "15", last=edge - timedelta(seconds=1)) == ()


def test_an_older_score_that_comes_later_calls_for_none() -> None:
    rows = points("9", "21", "9")
    assert causes([rows[0], rows[2]], rows, BY_ID["phq-9"], target=Decimal(20), since=None, now=NOW) == ()


def test_an_older_score_that_comes_later_may_be_one_more_that_misses() -> None:
    rows = points("12", "12")
    assert causes(rows[1:], rows, BY_ID["phq-9"], target=None, since=None, now=NOW) == (M,)
    late = [Point(NOW - timedelta(days=900), Fraction(12), "Observation/late"), *rows[1:]]
    assert causes(rows[1:], late, BY_ID["phq-9"], target=None, since=None, now=NOW) == ()


def test_a_score_that_is_withdrawn_calls_for_none_and_one_that_is_corrected_may() -> None:
    rows = points("9", "15")
    assert causes(rows, rows[:1], BY_ID["phq-9"], target=None, since=None, now=NOW) == ()
    corrected = [rows[0], Point(rows[1].at, Fraction(9), rows[1].reference)]
    assert causes(rows, corrected, BY_ID["phq-9"], target=Decimal(10), since=None, now=NOW) == (B, R)


@given(st.data())
def test_the_same_scores_again_call_for_none(data: st.DataObject) -> None:
    measure = data.draw(st.sampled_from(MEASURES))
    value = st.fractions(Fraction(measure.low), Fraction(measure.high), max_denominator=3).map(str)
    rows = points(*data.draw(st.lists(value, max_size=6)))
    target = data.draw(st.none() | st.just(Decimal(measure.low)))
    assert causes(rows, rows, measure, target=target, since=None, now=NOW) == ()


@pytest.mark.parametrize(
    ("measured", "history"),
    [
        (None, False),  # nobody knows: taken for news
        ("soon", False),
        ("2026-06-01T12:00:00Z", False),
        ("2026-07-01", False),  # a clock that is wrong does not silence it
        ("2026-05-02T12:00:00Z", False),  # 30 days to the second
        ("2026-05-02T11:59:59Z", True),
        ("2026-05-02T13:59:59+02:00", True),
        ("2026-05-01", False),  # that day ends at noon of the 2nd in UTC-12
        ("2026-04-30", True),
        ("2026-05", False),
        ("2026-03", True),
        ("2026", False),
        ("2024", True),
        ("2019-04-01", True),
    ],
)
def test_an_answer_of_long_ago_is_history(measured: str | None, history: bool) -> None:
    assert URGENT_WITHIN.days == 30
    assert is_history(measured, NOW) is history
