"""Which Observations are scores, when they were taken, and why others are none."""

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from services.careplans.domain.measures.catalogue import BY_ID
from services.careplans.domain.measures.measure import LOINC, UCUM
from services.careplans.domain.measures.series import Point, Refused, Why, measure_of, moment, point, series
from shared.fhir.json import Resource
from tests.unit.services.careplans.domain.measures.answering import observed


def quantity(value: Any, **more: Any) -> Resource:
    return {"valueQuantity": {"value": value} | more}


def only(measure: str, observation: Resource) -> Point | Refused:
    return point(BY_ID[measure], observation)


@pytest.mark.parametrize(
    ("measure", "value", "expected"),
    [
        ("phq-9", quantity(12), 12),
        ("phq-9", quantity(12, unit="score"), 12),
        ("phq-9", quantity(12, unit="{score}", system=UCUM, code="{score}"), 12),
        ("phq-9", quantity(12, unit="score", system=UCUM, code="1"), 12),
        ("phq-9", quantity(12, system=UCUM, code="%"), Why.OTHER_UNIT),
        ("phq-9", quantity(12, unit="mg"), Why.OTHER_UNIT),
        ("phq-9", quantity(12, system="urn:mine", code="{score}"), Why.OTHER_UNIT),
        ("phq-9", quantity(12, comparator=">="), Why.OTHER_UNIT),
        ("phq-9", quantity(28), Why.OUT_OF_RANGE),
        ("phq-9", quantity(-1), Why.OUT_OF_RANGE),
        ("phq-9", {"valueQuantity": {"unit": "score"}}, Why.NOT_A_NUMBER),
        ("phq-9", {"valueInteger": 12}, 12),
        ("phq-9", {"valueString": "12"}, 12),
        ("phq-9", {"valueString": "moderate"}, Why.NOT_A_NUMBER),
        ("phq-9", {"valueBoolean": True}, Why.NOT_A_NUMBER),
        ("phq-9", {"valueCodeableConcept": {"text": "moderate"}}, Why.NOT_A_NUMBER),
        ("phq-9", {}, Why.NO_VALUE),
        ("odi", quantity(42, system=UCUM, code="%"), 42),
        ("odi", quantity(42, unit="percent"), 42),
        ("odi", quantity(42, system=UCUM, code="{score}"), Why.OTHER_UNIT),
        ("odi", quantity(Decimal("0.42"), system=UCUM, code="1"), Why.OTHER_UNIT),
        ("tsk-11", quantity(10), Why.OUT_OF_RANGE),
        ("peg", quantity(Decimal("6.7")), Fraction(20, 3)),
        ("peg", quantity(Decimal("6.67")), Fraction(20, 3)),
        ("peg", quantity(Decimal("6.6")), Fraction("6.6")),
        ("peg", quantity(Decimal("6.68")), Fraction("6.68")),
        ("promis-29-fatigue", quantity(Decimal("55.1"), system=UCUM, code="{Tscore}"), Fraction("55.1")),
        ("promis-29-fatigue", quantity(Decimal("1E+999999")), Why.NOT_A_NUMBER),
    ],
)
def test_a_value_is_a_score_in_the_measures_unit_or_refused(
    measure: str, value: Resource, expected: int | Fraction | Why
) -> None:
    observation = {key: each for key, each in observed(measure, 0).items() if key != "valueQuantity"} | value
    found = only(measure, observation)
    assert (found.why if isinstance(found, Refused) else found.value) == expected


@pytest.mark.parametrize(
    ("status", "counts"),
    [
        ("final", True),
        ("amended", True),
        ("corrected", True),
        *(
            (status, False)
            for status in ("preliminary", "registered", "cancelled", "entered-in-error", "unknown", None)
        ),
    ],
)
def test_only_final_scores_count(status: str | None, counts: bool) -> None:
    found = only("peg", observed("peg", 5, status=status))
    assert isinstance(found, Point) is counts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025", datetime(2025, 1, 1, tzinfo=UTC)),
        ("2025-03", datetime(2025, 3, 1, tzinfo=UTC)),
        ("2025-03-04", datetime(2025, 3, 4, tzinfo=UTC)),
        ("2025-03-04T12:00:00+02:00", datetime(2025, 3, 4, 10, tzinfo=UTC)),
        ("2025-03-04T12:00:00.123456789Z", datetime(2025, 3, 4, 12, 0, 0, 123456, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("0000", None),
        ("", None),
        (None, None),
        (2025, None),
    ],
)
def test_a_date_is_the_moment_that_it_begins(text: Any, expected: datetime | None) -> None:
    assert moment(text) == expected


@pytest.mark.parametrize(
    ("time", "day"),
    [
        ({"effectiveDateTime": "2025-03-04"}, 4),
        ({"effectiveInstant": "2025-03-05T00:00:00Z"}, 5),
        ({"effectivePeriod": {"start": "2025-03-06", "end": "2025-03-09"}}, 6),
        ({"effectivePeriod": {"end": "2025-03-09"}}, 9),
        ({"issued": "2025-03-07T00:00:00Z"}, 7),
        ({"effectiveTiming": {"code": {"text": "weekly"}}}, None),
        ({}, None),
    ],
)
def test_a_score_has_the_time_that_it_states(time: Resource, day: int | None) -> None:
    observation = {key: each for key, each in observed("peg", 5).items() if key != "effectiveDateTime"} | time
    found = only("peg", observation)
    if day is None:
        assert found == Refused("Observation/o", Why.NO_TIME)
    else:
        assert isinstance(found, Point)
        assert found.at == datetime(2025, 3, day, tzinfo=UTC)


def test_a_panel_of_items_is_a_score() -> None:
    """As Synthea has a PEG."""
    codes = ("91146-1", "91145-3", "75893-8")
    components = [{"code": {"coding": [{"system": LOINC, "code": code}]}, **quantity(7)} for code in codes]
    panel = observed("peg", 0) | {"code": {"coding": [{"system": LOINC, "code": "91148-7"}]}, "component": components}
    del panel["valueQuantity"]
    found = only("peg", panel)
    assert isinstance(found, Point)
    assert found.value == 7
    components[0]["valueQuantity"] = {"value": Decimal("7.2876")}  # as Synthea has it, too: nobody answers so
    assert only("peg", panel) == Refused("Observation/o", Why.ITEMS)
    del components[0]
    assert only("peg", panel) == Refused("Observation/o", Why.NO_VALUE)


def test_a_panel_of_members_is_no_score_itself() -> None:
    panel = observed("peg", 0) | {"code": {"coding": [{"system": LOINC, "code": "91148-7"}]}}
    assert measure_of(panel) is None


@pytest.mark.parametrize("code", [None, {}, {"text": "PEG"}, {"coding": [{"code": "91147-9"}]}, {"coding": [{}]}])
def test_what_has_no_code_of_a_measure_is_none(code: Any) -> None:
    assert measure_of({"code": code}) is None


def test_a_copy_of_a_score_is_not_counted_twice_and_what_is_refused_is_named() -> None:
    found = series(
        [
            observed("peg", 5, "2025-03-01", "b"),
            observed("peg", 5, "2025-03-01T00:00:00Z", "a"),
            observed("peg", 6, "2025-02-01", "c"),
            observed("peg", 11, "2025-02-01", "d"),
            observed("phq-9", 11, "2025-02-01", "e"),
        ]
    )
    assert [each.reference for each in found["peg"].points] == ["Observation/c", "Observation/a"]
    assert found["peg"].refused == (Refused("Observation/d", Why.OUT_OF_RANGE),)
    assert len(found["phq-9"].points) == 1
