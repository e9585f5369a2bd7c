"""Scores: the latest that counts, or what is missing and why."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.careplans.domain.applying.inputs import Input
from services.careplans.domain.applying.observations import observed
from tests.unit.services.careplans.domain.applying.patients import AS_OF, observation


def phq9(*observations: dict[str, Any]) -> Input:
    return {entry.name: entry for entry in observed(observations, AS_OF)}["phq9"]


def test_the_latest_score_counts_with_its_reference_and_date() -> None:
    found = phq9(observation("phq9", 12, "2026-02-01"), observation("phq9", 9, "2026-02-20"))
    assert (found.value, found.references, found.at) == (9, ("Observation/44261-6-2026-02-20",), "2026-02-20")


def test_of_two_at_the_same_moment_the_same_one_counts_in_any_order() -> None:
    twins = [observation("phq9", 12) | {"id": "a"}, observation("phq9", 9) | {"id": "b"}]
    assert phq9(*twins) == phq9(*reversed(twins))


@pytest.mark.parametrize(
    ("given", "value"),
    [
        (observation("phq9", 0), 0),
        (observation("phq9", 27), 27),
        (observation("phq9", Decimal("10.0")), 10),
        (observation("phq9", Decimal("9.5")), Decimal("9.5")),
        (observation("phq9", 1, valueQuantity=None, valueInteger=14), 14),
        (observation("phq9", 11, status="amended"), 11),
        (observation("phq9", 11, effectiveDateTime=None, effectivePeriod={"end": "2026-02-02"}), 11),
        (observation("phq9", 11, "2026"), 11),
        (observation("phq9", 11, (AS_OF - timedelta(days=183)).isoformat()), 11),
    ],
)
def test_a_score_that_counts(given: dict[str, Any], value: object) -> None:
    assert phq9(given).value == value


@pytest.mark.parametrize(
    ("given", "note"),
    [
        (observation("phq9", 28), "is outside 0 to 27"),
        (observation("phq9", -1), "is outside 0 to 27"),
        (observation("phq9", 1, valueQuantity={"value": 10, "comparator": ">"}), "has no number"),
        (observation("phq9", 1, valueQuantity=None, valueString="12"), "has no number"),
        (observation("phq9", 1, valueQuantity=None, dataAbsentReason={"text": "asked"}), "has no number"),
        (observation("phq9", 1, (AS_OF - timedelta(days=184)).isoformat()), "is older than 183 days"),
        (observation("phq9", 11, status="preliminary"), "needs PHQ-9"),
        (observation("phq9", 11, status="entered-in-error"), "needs PHQ-9"),
        (observation("phq9", 11, "2026-03-02"), "needs PHQ-9"),
        (observation("phq9", 11, "soon"), "needs PHQ-9"),
        (observation("phq9", 11, code={"text": "PHQ-9"}), "needs PHQ-9"),
        (observation("phq9", 11, code="44261-6"), "needs PHQ-9"),
    ],
)
def test_a_score_that_does_not_count_is_missing_and_says_why(given: dict[str, Any], note: str) -> None:
    found = phq9(given)
    assert found.missing
    assert found.note.startswith("needs PHQ-9")
    assert found.note.endswith(note)


def test_an_assessment_is_a_yes_or_no() -> None:
    given = [observation("redFlags", False), observation("neuropathicComponent", "perhaps")]
    found = {entry.name: entry for entry in observed(given, AS_OF)}
    assert found["redFlags"].value is False
    assert found["neuropathicComponent"].note.endswith("is neither yes nor no")
    assert found["emotionRegulationDifficulty"].note == "needs Emotion-regulation difficulty"
