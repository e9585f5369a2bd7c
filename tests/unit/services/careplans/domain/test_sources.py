"""Other plans of the patient beside the shared one."""

import pytest

from services.careplans.domain.sources import SOURCE, Item, is_source, linked, reconciled, taken_over, without
from shared.fhir.json import Resource

PATIENT = "Patient/p"
SNOMED = "http://snomed.info/sct"


def other(**more: object) -> Resource:
    return {"id": "o", "status": "active", "intent": "plan", "subject": {"reference": PATIENT}} | more


def coded(code: str, status: str, **more: object) -> Resource:
    return {"detail": {"code": {"coding": [{"system": SNOMED, "code": code}]}, "status": status}} | more


@pytest.mark.parametrize(
    ("plan", "is_one"),
    [
        (other(), True),
        (other(status="completed"), True),
        (other(status="entered-in-error"), False),
        (other(intent="option"), False),
        (other(subject={"reference": "Patient/q"}), False),
        (None, False),
    ],
)
def test_what_the_shared_plan_is_linked_to(plan: Resource | None, is_one: bool) -> None:
    assert is_source(plan, PATIENT) is is_one


def test_links_are_made_once_and_peoples_stay() -> None:
    shared: Resource = {"id": "s", "replaces": [{"reference": "CarePlan/old"}]}
    after = linked(shared, ["CarePlan/a", "CarePlan/old", "CarePlan/a"])
    assert after["basedOn"] == [{"reference": "CarePlan/a"}]
    assert linked(after, ["CarePlan/a"]) is after
    assert linked(after, [], ["CarePlan/a"]) == shared
    assert linked(shared, [], ["CarePlan/old"]) is shared, "what people said stays"
    assert without(after, "CarePlan/old") == {"id": "s", "basedOn": [{"reference": "CarePlan/a"}]}
    assert without(after, "CarePlan/b") is None


def test_what_the_shared_plan_has_as_well() -> None:
    shared = {
        "activity": [
            coded("1", "in-progress", id="one"),
            {"id": "two", "reference": {"reference": "ServiceRequest/2"}},
            {"id": "three", "detail": {"description": "Walk  every DAY", "status": "not-started"}},
        ],
        "goal": [{"reference": "Goal/ours"}],
    }
    theirs = other(
        activity=[
            coded("1", "completed", id="a"),
            {"id": "b", "reference": {"reference": "ServiceRequest/2"}},
            {"detail": {"description": "walk every day", "status": "not-started"}},
            coded("4", "scheduled"),
            {"detail": {"status": "unknown"}},
        ],
        goal=[{"reference": "Goal/theirs"}, {"reference": "Goal/new"}, {"display": "Nothing"}],
    )
    goals = {
        "Goal/ours": {"description": {"text": "Sleep well"}, "lifecycleStatus": "active"},
        "Goal/theirs": {"description": {"text": "sleep well"}, "lifecycleStatus": "active"},
        "Goal/new": {"description": {"text": "Run"}, "lifecycleStatus": "planned"},
    }
    assert list(reconciled(shared, theirs, goals)) == [
        Item("a", "activity", "", "differs", "completed", "one", "in-progress"),
        Item("b", "activity", "", "same", None, "two", None),
        Item("activity-2", "activity", "walk every day", "same", "not-started", "three", "not-started"),
        Item("activity-3", "activity", "", "missing", "scheduled"),
        Item("activity-4", "activity", "", "missing", "unknown"),
        Item("Goal/theirs", "goal", "sleep well", "same", "active", "Goal/ours", "active"),
        Item("Goal/new", "goal", "Run", "missing", "planned"),
    ]


def test_what_is_taken_over_says_where_from() -> None:
    theirs = other(activity=[coded("1", "scheduled", id="a")], goal=[{"reference": "Goal/g"}])
    activities, goals = taken_over(theirs, ["a", "Goal/g", "a"])
    assert activities == [
        coded("1", "scheduled", extension=[{"url": SOURCE, "valueReference": {"reference": "CarePlan/o"}}])
    ]
    assert goals == [{"reference": "Goal/g"}]
    with pytest.raises(KeyError):
        taken_over(theirs, ["b"])
