"""Two people change one plan: what both said is in it, or is told as a clash."""

from copy import deepcopy
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from services.careplans.domain.merging import differences, merge

Plan = dict[str, Any]
BASE: Plan = {
    "resourceType": "CarePlan",
    "id": "p",
    "meta": {"versionId": "3"},
    "status": "active",
    "intent": "plan",
    "title": "Shared care plan",
    "subject": {"reference": "Patient/p"},
    "note": [{"text": "first"}],
    "activity": [
        {"id": "walk", "detail": {"status": "scheduled", "description": "Walk", "code": {"text": "walking"}}},
        {"id": "talk", "detail": {"status": "in-progress", "description": "Talk"}},
        {"id": "sleep", "reference": {"reference": "ServiceRequest/s"}},
    ],
}


def edited(*edits: tuple[str, Any]) -> Plan:
    """BASE with each path (``activity.walk.detail.status``) set; None takes away."""
    plan = deepcopy(BASE)
    for path, value in edits:
        *steps, last = path.split(".")
        at: Any = plan
        for step in steps:
            at = at[step] if isinstance(at, dict) else next(each for each in at if each["id"] == step)
        if isinstance(at, list) and value is None:
            at[:] = [each for each in at if each["id"] != last]
        elif isinstance(at, list):
            at[:] = [value if each["id"] == last else each for each in at]
        elif value is None:
            at.pop(last)
        else:
            at[last] = value
    return plan


def with_note(text: str) -> tuple[str, Any]:
    return "note", [*BASE["note"], {"text": text}]


WALK = "CarePlan.activity.where(id='walk')"
APART = [
    ([("status", "on-hold")], [("title", "Plan")]),
    ([("activity.walk.detail.status", "in-progress")], [("activity.walk.detail.description", "Walk daily")]),
    ([("activity.walk.detail.status", "in-progress")], [("activity.talk.detail.status", "completed")]),
    ([("activity.walk", None)], [("activity.talk.detail.status", "completed")]),
    ([("activity.sleep.progress", [{"text": "slept"}])], [("activity.sleep.outcomeReference", [{"reference": "x"}])]),
    ([with_note("hers")], [with_note("his")]),
    ([("activity.walk.detail._status", {"id": "s"})], [("activity.walk.detail.description", "Walk daily")]),
]


@pytest.mark.parametrize(("theirs", "mine"), APART)
def test_what_touches_other_elements_is_brought_together(theirs: Any, mine: Any) -> None:
    both = merge(BASE, edited(*theirs), edited(*mine))
    assert both.clashes == ()
    assert both.mine == differences(BASE, edited(*mine))
    told = {(each.path, str(each.after)) for each in differences(BASE, both.resource)}
    assert told == {(each.path, str(each.after)) for way in (theirs, mine) for each in differences(BASE, edited(*way))}
    other = merge(BASE, edited(*mine), edited(*theirs))
    assert _by_id(other.resource) == _by_id(both.resource)


def _by_id(plan: Plan) -> dict[str, Any]:
    return {each["id"]: each for each in plan["activity"]}


@pytest.mark.parametrize(
    ("theirs", "mine", "path"),
    [
        ([("status", "on-hold")], [("status", "revoked")], "CarePlan.status"),
        (
            [("activity.walk.detail.description", "Walk daily")],
            [("activity.walk.detail.description", "Walk less")],
            "CarePlan.activity.where(id='walk').detail.description",
        ),
        (
            # half of a concept each would be nobody's word
            [("activity.walk.detail.code", {"text": "walking", "coding": [{"code": "1"}]})],
            [("activity.walk.detail.code", {"text": "hiking"})],
            "CarePlan.activity.where(id='walk').detail.code",
        ),
        (
            [("activity.walk", None)],
            [("activity.walk.detail.status", "completed")],
            "CarePlan.activity.where(id='walk')",
        ),
        (
            [("activity.walk.detail.status", "completed")],
            [("activity.walk", None)],
            "CarePlan.activity.where(id='walk')",
        ),
        ([("note", [{"text": "hers"}])], [("note", [{"text": "his"}])], "CarePlan.note"),
        ([("note", [{"text": "hers"}])], [("note", None)], "CarePlan.note"),
        (
            # an activity cannot be of both kinds: whoever takes the detail away clashes with whoever changes it
            [("activity.walk", {"id": "walk", "reference": {"reference": "Task/t"}})],
            [("activity.walk.detail.status", "completed")],
            "CarePlan.activity.where(id='walk').detail",
        ),
    ],
)
def test_what_touches_the_same_element_is_a_clash(theirs: Any, mine: Any, path: str) -> None:
    for first, second in ((theirs, mine), (mine, theirs)):
        both = merge(BASE, edited(*first), edited(*second))
        assert [clash.path for clash in both.clashes] == [path]


def test_a_clash_tells_all_three_values() -> None:
    (clash,) = merge(BASE, edited(("status", "on-hold")), edited(("status", "revoked"))).clashes
    assert (clash.base, clash.theirs, clash.mine) == ("active", "on-hold", "revoked")


def test_the_same_change_twice_is_one() -> None:
    once = edited(("activity.walk.detail.status", "completed"), with_note("done"))
    again = merge(BASE, once, deepcopy(once))
    assert (again.resource, again.mine, again.clashes) == (once, (), ())


def test_items_that_say_the_same_are_counted() -> None:
    none, one, two, three = ({"note": [{"text": "x"}] * times} for times in range(4))
    for base, theirs, mine, times in (
        (one, two, two, 2),
        (two, one, three, 2),
        (two, one, one, 1),
        (three, two, two, 2),
    ):
        assert len(merge(base, theirs, mine).resource["note"]) == times
    assert merge(two, none, one).resource == {}


def test_two_that_are_added_under_one_id_are_not_made_into_one() -> None:
    new = {"id": "new", "detail": {"status": "scheduled", "description": "Swim"}}
    plans = [BASE | {"activity": [*BASE["activity"], new | more]} for more in ({}, {"progress": [{"text": "wet"}]})]
    assert [clash.path for clash in merge(BASE, *plans).clashes] == ["CarePlan.activity.where(id='new')"]


def test_a_new_order_is_a_change_as_well() -> None:
    turned = BASE | {"activity": BASE["activity"][::-1]}
    both = merge(BASE, edited(("activity.walk.detail.status", "completed")), turned)
    assert [each["id"] for each in both.resource["activity"]] == ["sleep", "talk", "walk"]
    assert [each.path for each in both.mine] == ["CarePlan.activity"]
    rotated = BASE | {"activity": [*BASE["activity"][1:], BASE["activity"][0]]}
    assert [each.path for each in merge(BASE, rotated, turned).clashes] == ["CarePlan.activity"]


def test_a_generated_narrative_goes_when_it_would_tell_of_another_plan() -> None:
    told = {"text": {"status": "generated", "div": "<div>Walk</div>"}}
    assert "text" not in merge(BASE | told, BASE | told, edited(("status", "on-hold")) | told).resource
    assert merge(BASE | told, BASE | told, BASE).resource == BASE | told
    own = {"text": {"status": "additional", "div": "<div>By hand</div>"}}
    assert merge(BASE | own, BASE | own, edited(("status", "on-hold")) | own).resource["text"] == own["text"]


VALUES = st.sampled_from(["a", "b", "c"])
ITEMS = st.lists(st.sampled_from([{"text": "x"}, {"text": "y"}, {"text": "z"}]), max_size=3, unique_by=str)
DETAILS = st.dictionaries(st.sampled_from(["status", "description", "kind"]), VALUES, max_size=3)
ACTIVITIES = st.lists(
    st.builds(
        lambda id, detail, progress: {"id": id, "detail": detail, **({"progress": progress} if progress else {})},
        st.sampled_from(["1", "2", "3", "4"]),
        DETAILS,
        ITEMS,
    ),
    max_size=4,
    unique_by=lambda each: each["id"],
)
PLANS = st.builds(
    lambda fields, note, activity: (
        {"resourceType": "CarePlan", "id": "p"}
        | fields
        | ({"note": note} if note else {})
        | ({"activity": activity} if activity else {})
    ),
    st.dictionaries(st.sampled_from(["status", "title", "description"]), VALUES, max_size=3),
    ITEMS,
    ACTIVITIES,
)


@given(PLANS, PLANS)
def test_alone_everything_that_was_changed_is_there(base: Plan, mine: Plan) -> None:
    alone = merge(base, base, mine)
    assert alone.clashes == ()
    assert alone.resource == mine
    assert merge(base, mine, base).resource == mine


@given(PLANS, PLANS, PLANS)
def test_nothing_that_anybody_changed_is_lost(base: Plan, theirs: Plan, mine: Plan) -> None:
    both = merge(base, theirs, mine)
    clashing = [clash.path for clash in both.clashes]
    kept = {each.path for each in differences(base, both.resource)}
    for said in (theirs, mine):
        for each in differences(base, said):
            if each.path == "CarePlan.activity":
                # an order of what the other took away is none
                continue
            # in the plan, or under an element that is told as a clash
            assert each.path in kept or any(each.path.startswith(path) for path in clashing) or _whole(each.path, kept)


def _whole(path: str, kept: set[str]) -> bool:
    return any(path.startswith(each) for each in kept)
