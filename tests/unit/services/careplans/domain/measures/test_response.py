"""Classes of response, by hand, at the edges of each threshold."""

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.careplans.domain.measures.catalogue import BY_ID, MEASURES
from services.careplans.domain.measures.measure import Direction, Measure
from services.careplans.domain.measures.response import Response, change, classify
from services.careplans.domain.measures.series import Series, series
from shared.fhir.json import Resource
from tests.unit.services.careplans.domain.measures.answering import observed

S, R, M, N, D = Response.SUBSTANTIAL, Response.RESPONDER, Response.MINIMAL, Response.NO_CHANGE, Response.DETERIORATED


def of(measure: str, *values: Any) -> Series:
    """Scores of one measure, a month apart."""
    found = [observed(measure, value, f"2025-{month:02}-01", f"o{month}") for month, value in enumerate(values, 1)]
    return series(found)[measure]


@pytest.mark.parametrize(
    ("measure", "before", "after", "expected"),
    [
        # 1 point; 30 %; 50 %
        ("peg", "8", "8", N),
        ("peg", "8", "7.33", N),
        ("peg", "8", "7", M),
        ("peg", "8", "5.67", M),  # 17/3: 29.2 %
        ("peg", "8", "5.33", R),  # 16/3: 33.3 %
        ("peg", "6.67", "4.67", R),  # 20/3 -> 14/3: 30 % exactly, and 29.99 % as rounded
        ("peg", "6.7", "4.7", R),
        ("peg", "10", "7", R),
        ("peg", "8", "4.33", R),
        ("peg", "8", "4", S),
        ("peg", "3.33", "1.67", S),
        ("peg", "2", "1.33", R),  # 33 % of a low baseline
        ("peg", "8", "8.67", N),
        ("peg", "8", "9", D),
        ("peg", "0", "0.67", N),
        ("peg", "0", "1", D),
        # 2 points or 30 %; 30 %; 50 %
        ("pain-nrs", "9", "8", N),
        ("pain-nrs", "9", "7", M),  # 22 %
        ("pain-nrs", "10", "7", R),
        ("pain-nrs", "7", "5", M),  # 28.6 %
        ("pain-nrs", "6", "4", R),
        ("pain-nrs", "3", "2", R),
        ("pain-nrs", "8", "4", S),
        ("pain-nrs", "9", "5", R),
        ("pain-nrs", "6", "7", N),
        ("pain-nrs", "6", "8", D),
        ("pain-nrs", "3", "4", D),  # 33 % worse
        # 5 points; 50 % and 5 points
        ("phq-9", "18", "14", N),
        ("phq-9", "18", "13", M),
        ("phq-9", "18", "10", M),
        ("phq-9", "18", "9", R),
        ("phq-9", "8", "4", N),
        ("phq-9", "10", "5", R),
        ("phq-9", "9", "4", R),
        ("phq-9", "10", "14", N),
        ("phq-9", "10", "15", D),
        # 4 points
        ("gad-7", "12", "9", N),
        ("gad-7", "12", "8", R),
        ("gad-7", "12", "0", R),
        ("gad-7", "12", "15", N),
        ("gad-7", "12", "16", D),
        # 6 points; 8.4 points
        ("isi", "20", "15", N),
        ("isi", "20", "14", M),
        ("isi", "20", "13", M),
        ("isi", "20", "12", M),
        ("isi", "20", "11", R),
        ("isi", "20", "26", D),
        # 8 points
        ("pcs", "35", "28", N),
        ("pcs", "35", "27", R),
        ("pcs", "35", "42", N),
        ("pcs", "35", "43", D),
        # 10 points or 30 %; 50 %
        ("odi", "50", "42", N),
        ("odi", "50", "40", R),
        ("odi", "20", "14", R),  # 30 %
        ("odi", "20", "16", N),
        ("odi", "50", "26", R),
        ("odi", "50", "25", S),
        ("odi", "50", "58", N),
        ("odi", "50", "60", D),
        ("odi", "20", "26", D),
        # 5.6 points
        ("tsk-11", "30", "25", N),
        ("tsk-11", "30", "24", R),
        ("tsk-11", "30", "24.4", R),
        ("tsk-11", "30", "24.5", N),
        ("tsk-11", "30", "36", D),
        # 2 points; 3 points
        ("promis-29-pain-interference", "65", "63.1", N),
        ("promis-29-pain-interference", "65", "63", M),
        ("promis-29-pain-interference", "65", "62.1", M),
        ("promis-29-pain-interference", "65", "62", R),
        ("promis-29-pain-interference", "65", "67", D),
        # none is published
        ("promis-29-physical-function", "30", "50", None),
        ("promis-29-fatigue", "70", "50", None),
        ("ort", "9", "2", None),
        ("start-back", "8", "1", None),
    ],
)
def test_a_change_has_its_class(measure: str, before: str, after: str, expected: Response | None) -> None:
    found = change(of(measure, before, after))
    assert found is not None
    assert found.response == expected
    assert (found.source is None) is (expected is None)


def test_a_change_tells_both_scores_and_how_far_they_are_apart() -> None:
    found = change(of("peg", 8, 9, "5.33"))
    assert found is not None
    assert (found.baseline.reference, found.latest.reference) == ("Observation/o1", "Observation/o3")
    assert (found.absolute, found.relative, found.improvement) == (Fraction(-8, 3), Fraction(-1, 3), Fraction(8, 3))
    assert str(found.source) == "Dworkin et al., J Pain 9:105 (2008)"


def test_where_higher_is_better_an_improvement_is_a_rise() -> None:
    found = change(of("promis-29-social-roles", 40, 45))
    assert found is not None
    assert (found.absolute, found.improvement) == (5, 5)


def test_a_baseline_of_nothing_has_no_relative_change() -> None:
    found = change(of("phq-9", 0, 6))
    assert found is not None
    assert (found.relative, found.response) == (None, D)


@pytest.mark.parametrize(
    ("since", "expected"),
    [(None, 1), (datetime(2024, 12, 1, tzinfo=UTC), 1), (datetime(2025, 2, 15, tzinfo=UTC), 2)],
)
def test_the_baseline_is_the_last_score_before_the_care_began(since: datetime | None, expected: int) -> None:
    found = change(of("peg", 9, 8, 7, 6), since)
    assert found is not None
    assert found.baseline.reference == f"Observation/o{expected}"


def test_one_score_and_a_baseline_that_is_the_latest_are_no_change() -> None:
    assert change(of("peg", 9)) is None
    assert change(of("peg", 9, 8), datetime(2026, 1, 1, tzinfo=UTC)) is None


CLASSED = [measure for measure in MEASURES if measure.matters]
RANK = list(Response)


@given(st.data())
def test_more_improvement_is_never_a_worse_class(data: st.DataObject) -> None:
    measure = data.draw(st.sampled_from(CLASSED), label="measure")
    score = st.fractions(Fraction(measure.low), Fraction(measure.high), max_denominator=30)
    before, one, other = data.draw(score), data.draw(score), data.draw(score)
    better, worse = sorted((one, other), reverse=measure.direction is Direction.HIGHER)
    first, second = classify(measure, before, better)[0], classify(measure, before, worse)[0]
    assert first is not None
    assert second is not None
    assert RANK.index(first) <= RANK.index(second)


@given(st.data())
def test_no_change_at_all_is_no_change(data: st.DataObject) -> None:
    measure: Measure = data.draw(st.sampled_from(CLASSED))
    value = Fraction(data.draw(st.decimals(measure.low, measure.high, places=2)))
    assert classify(measure, value, value)[0] is N


@given(st.data())
def test_the_order_of_observations_does_not_matter(data: st.DataObject) -> None:
    rows = data.draw(
        st.lists(
            st.tuples(
                st.sampled_from(sorted(BY_ID)),
                st.integers(-1, 30),
                st.dates(min_value=datetime(2024, 1, 1).date(), max_value=datetime(2024, 1, 5).date()),
                st.sampled_from(["final", "amended", "entered-in-error"]),
            ),
            max_size=8,
        )
    )
    observations: list[Resource] = [
        observed(measure, Decimal(value), at.isoformat(), f"o{place}", status=status)
        for place, (measure, value, at, status) in enumerate(rows)
    ]
    shuffled = data.draw(st.permutations(observations))
    told = {id_: (found, change(found)) for id_, found in series(observations).items()}
    assert {id_: (found, change(found)) for id_, found in series(shuffled).items()} == told
