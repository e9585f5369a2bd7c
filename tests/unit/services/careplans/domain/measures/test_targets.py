"""The patient's own targets."""

from decimal import Decimal
from typing import Any

import pytest

from services.careplans.domain.measures.targets import targets
from shared.fhir.json import Resource

PEG, FUNCTION = "91147-9", "71959-1"


def goal(detail: Resource, *, code: Any = PEG, status: str = "active") -> Resource:
    measure = {"coding": [{"system": "http://loinc.org", "code": code}]}
    return {"resourceType": "Goal", "lifecycleStatus": status, "target": [{"measure": measure, **detail}]}


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        ({"detailQuantity": {"value": 4}}, 4),
        ({"detailQuantity": {"value": Decimal("3.5"), "comparator": "<="}}, Decimal("3.5")),
        ({"detailQuantity": {"value": 4, "comparator": ">="}}, None),
        ({"detailQuantity": {"value": 40, "code": "%", "system": "http://unitsofmeasure.org"}}, None),
        ({"detailQuantity": {"value": 11}}, None),
        ({"detailQuantity": {"unit": "score"}}, None),
        ({"detailRange": {"low": {"value": 2}, "high": {"value": 4}}}, 4),
        ({"detailRange": {"low": {"value": 2}}}, None),
        ({"detailInteger": 4}, 4),
        ({"detailString": "4"}, None),
        ({}, None),
    ],
)
def test_a_goal_names_the_score_to_reach(detail: Resource, expected: Decimal | int | None) -> None:
    assert targets([goal(detail)]) == ({} if expected is None else {"peg": expected})


def test_where_higher_is_better_the_low_end_of_a_range_is_the_target() -> None:
    found = targets([goal({"detailRange": {"low": {"value": 45}, "high": {"value": 55}}}, code=FUNCTION)])
    assert found == {"promis-29-physical-function": 45}


def test_of_several_targets_the_furthest_counts() -> None:
    one, other = goal({"detailInteger": 4}), goal({"detailInteger": 3})
    assert targets([one, other]) == targets([other, one]) == {"peg": 3}
    better = [goal({"detailInteger": value}, code=FUNCTION) for value in (45, 50)]
    assert targets(better) == {"promis-29-physical-function": 50}


@pytest.mark.parametrize("status", ["proposed", "on-hold", "completed", "cancelled", "rejected", "entered-in-error"])
def test_what_nobody_pursues_now_is_no_target(status: str) -> None:
    assert targets([goal({"detailInteger": 4}, status=status)]) == {}


@pytest.mark.parametrize("more", [{}, {"target": [{}]}, {"target": [{"measure": {"text": "PEG"}, "detailInteger": 4}]}])
def test_a_goal_without_a_measure_of_ours_is_no_target(more: Resource) -> None:
    assert targets([{"resourceType": "Goal", "lifecycleStatus": "active"} | more]) == {}
