"""A contribution goes into the current plan whole, or is refused whole; what comes again is known."""

import re
from copy import deepcopy
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from services.careplans.domain.accounts import UNKNOWN
from services.careplans.domain.codes import ACTIVITY_DISCIPLINE, extension_value
from services.careplans.domain.comparing import compare
from services.careplans.domain.contributing import Contribution, brought_in
from services.careplans.domain.hands import Hands, check_plan
from services.careplans.domain.identity import with_ids
from services.careplans.domain.merging import differences
from services.careplans.domain.versions import Version, changes
from shared.errors import Forbidden, Unprocessable
from shared.fhir.comparison import Element, Side
from shared.security.caller import Caller, Role

Plan = dict[str, Any]
ALL, PT = Hands(None), Hands(frozenset({"physical-therapy"}))
BASE: Plan = {
    "resourceType": "CarePlan",
    "id": "p",
    "meta": {"versionId": "1"},
    "status": "active",
    "title": "Plan",
    "note": [{"text": "first"}],
    "activity": [
        {"id": "a", "detail": {"status": "scheduled", "description": "Walk"}},
        {"id": "b", "detail": {"status": "scheduled", "description": "Talk"}},
    ],
}


def with_description(text: str, place: int = 0) -> Plan:
    plan = deepcopy(BASE)
    plan["activity"][place]["detail"]["description"] = text
    return plan


def with_new(*new: Plan) -> Plan:
    return BASE | {"activity": [*BASE["activity"], *new]}


SWIM = {"detail": {"status": "scheduled", "description": "Swim"}}


def test_what_is_new_has_an_id_and_a_discipline_before_it_is_compared() -> None:
    contribution = Contribution(with_new(SWIM), 1)
    once = brought_in(contribution, BASE, BASE, PT).resource
    assert once is not None
    new = once["activity"][-1]
    assert extension_value(new, ACTIVITY_DISCIPLINE) == "physical-therapy"
    assert new["id"]
    again = brought_in(contribution, BASE, once, PT)
    assert (again.resource, again.refused) == (None, ())


def test_two_of_a_kind_in_one_contribution_are_two() -> None:
    once = brought_in(Contribution(with_new(SWIM, SWIM), 1), BASE, BASE, PT).resource
    assert once is not None
    assert len({each["id"] for each in once["activity"]}) == 4
    assert brought_in(Contribution(with_new(SWIM, SWIM), 1), BASE, once, PT).resource is None


def test_what_lost_its_id_and_says_the_same_is_the_same() -> None:
    base = with_new({"id": "c", "detail": dict(BASE["activity"][0]["detail"])}, {"id": "d"} | SWIM)
    theirs = deepcopy(base)
    theirs["activity"][0]["detail"]["status"] = "on-hold"
    bare = [{key: value for key, value in each.items() if key != "id"} for each in base["activity"]]
    mine = base | {"title": "Ours", "activity": bare}
    brought = brought_in(Contribution(mine, 1), base, theirs, ALL).resource
    assert brought == theirs | {"title": "Ours"}
    assert [each.changed_by for each in compare(base, theirs, mine)] == [Side.THEIRS, Side.MINE]


def test_a_clash_refuses_all_of_it() -> None:
    theirs, mine = with_description("Walk daily"), with_description("Walk less") | {"title": "Ours"}
    brought = brought_in(Contribution(mine, 1), BASE, theirs, ALL)
    assert brought.resource is None
    path = "CarePlan.activity.where(id='a').detail.description"
    assert brought.refused == (
        Element(path, "Walk", "Walk daily", "Walk less", Side.BOTH),
        Element("CarePlan.title", "Plan", "Plan", "Ours", Side.MINE),
    )
    assert [each.clashes for each in brought.refused] == [True, False]


def test_without_its_base_nothing_is_brought_in_unless_all_of_it_is_there() -> None:
    brought = brought_in(Contribution(with_description("Walk less"), 1), None, BASE, ALL)
    assert [(each.changed_by, each.clashes) for each in brought.refused] == [(None, True)]
    assert brought_in(Contribution(BASE, 1), None, BASE, ALL).refused == ()


def test_whoever_has_no_part_contributes_nothing() -> None:
    with pytest.raises(Forbidden):
        brought_in(Contribution(with_description("Walk less"), 1), BASE, BASE, Hands(frozenset()))


def test_an_id_stands_once() -> None:
    twice = with_new({"id": "a"} | SWIM)
    with pytest.raises(Unprocessable):
        brought_in(Contribution(twice, 1), BASE, BASE, ALL)


def test_the_same_contribution_has_the_same_name() -> None:
    caller, other = Caller("x", Role.CLINICIAN), Caller("y", Role.CLINICIAN)
    name = Contribution(BASE, 1, "why").name(caller)
    turned = dict(reversed(BASE.items())) | {"meta": {"versionId": "1", "tag": []}}
    assert Contribution(turned, 1, "another reason").name(caller) == name
    others = [Contribution(BASE, 2), Contribution(BASE | {"title": "Ours"}, 1), Contribution(BASE | {"note": []}, 1)]
    assert name not in {each.name(caller) for each in others} | {Contribution(BASE, 1).name(other)}


def test_a_new_order_by_both_hides_nothing_else_that_they_changed() -> None:
    base = with_new({"id": "c"} | SWIM)
    a, b, c = base["activity"]
    theirs = base | {"activity": [b, c, a], "title": "Theirs"}
    mine = base | {"activity": [c, b, a]}
    theirs["activity"] = [{**b, "detail": b["detail"] | {"status": "on-hold"}}, c, a]
    told = [(each.path, each.changed_by) for each in compare(base, theirs, mine)]
    assert told == [
        ("CarePlan.activity", Side.BOTH),
        ("CarePlan.title", Side.THEIRS),
        ("CarePlan.activity.where(id='b').detail.status", Side.THEIRS),
    ]


@pytest.mark.parametrize("id_", ["it's", "a\\b", "a').b", "x.y", "').where(id='a"])
def test_any_id_is_one_place(id_: str) -> None:
    base = with_new({"id": id_} | SWIM)
    mine = deepcopy(base)
    mine["activity"][2]["detail"]["status"] = "on-hold"
    theirs = deepcopy(base)
    theirs["activity"][0]["detail"]["status"] = "on-hold"
    brought = brought_in(Contribution(mine, 1), base, theirs, ALL)
    assert [each.path for each in compare(base, theirs, mine)] == [
        "CarePlan.activity.where(id='a').detail.status",
        "CarePlan.activity.where(id='{}').detail.status".format(id_.replace("\\", "\\\\").replace("'", "\\'")),
    ]
    assert brought.resource is not None
    assert [each["detail"]["status"] for each in brought.resource["activity"]] == ["on-hold", "scheduled", "on-hold"]


def test_what_is_said_beside_a_primitive_goes_with_it() -> None:
    said = {"extension": [{"url": "http://example.org/x", "valueString": "x"}]}
    theirs = BASE | {"_title": said}
    assert [each.path for each in brought_in(Contribution(BASE | {"title": "Ours"}, 1), BASE, theirs, ALL).refused] == [
        "CarePlan.title"
    ]
    brought = brought_in(Contribution(BASE | {"_status": said}, 1), BASE, theirs, ALL).resource
    assert brought is not None
    assert (brought["_title"], brought["_status"], brought["title"]) == (said, said, "Plan")


# five people, each with the version that they saw last, who write words that nobody else writes

EDITS = st.sampled_from(["add", "text", "text", "status", "progress", "note", "remove", "title", "order"])
WORDS = re.compile(r"w\d+\.\d;")
STEPS = st.lists(
    st.tuples(st.integers(0, 4), st.lists(st.tuples(EDITS, st.integers(0, 5)), min_size=1, max_size=3), st.booleans()),
    min_size=1,
    max_size=30,
)


def _edited(plan: Plan, edits: list[tuple[str, int]], word: str) -> Plan:
    plan = deepcopy(plan)
    for number, (what, pick) in enumerate(edits):
        said, activities = f"{word}.{number};", plan.setdefault("activity", [])
        at = activities[pick % len(activities)] if activities else None
        if what == "note":
            plan["note"] = [*plan.get("note", []), {"text": said}]
        elif what == "title":
            plan["title"] = said
        elif what == "order":
            activities.reverse()
        elif at is None or what == "add":
            activities.append({"detail": {"status": "scheduled", "description": said}})
        elif what == "remove":
            activities.remove(at)
        elif what == "progress":
            at["progress"] = [*at.get("progress", []), {"text": said}]
        elif "detail" in at:
            at["detail"]["description" if what == "text" else "status"] = said
    return plan


@given(STEPS)
def test_no_word_is_lost_whoever_contributes_from_whatever_version(steps: list[Any]) -> None:
    versions = [with_ids(BASE, "activity")]
    seen = [0] * 5
    made: dict[int, int] = {}
    for number, (who, edits, looks) in enumerate(steps):
        if looks:
            seen[who] = len(versions) - 1
        base, theirs = versions[seen[who]], versions[-1]
        mine = _edited(base, edits, f"w{number}")
        brought = brought_in(Contribution(mine, seen[who]), base, theirs, ALL)
        assert not (brought.resource is not None and brought.refused)
        if brought.resource is None:
            said = [word for word in WORDS.findall(str(mine)) if word.startswith(f"w{number}.")]
            assert any(each.clashes for each in brought.refused) or all(word in str(theirs) for word in said)
            continue
        # exactly what I changed, and they have not, comes in
        came = {_key(each) for each in differences(theirs, brought.resource)}
        assert came <= {_key(each) for each in differences(base, with_ids(mine, "activity"))}
        versions.append(brought.resource)
        made[len(versions) - 1] = seen[who]
        assert brought_in(Contribution(mine, seen[who]), base, versions[-1], ALL).resource is None
    for number in range(len(steps)):
        for place in range(3):
            _check(f"w{number}.{place};", versions, made)


def _key(change: Any) -> tuple[str, str]:
    # the order of those that are there depends on who else is
    return change.path, "" if change.path == "CarePlan.activity" else str((change.before, change.after))


def _check(word: str, versions: list[Plan], made: dict[int, int]) -> None:
    there = [number for number, plan in enumerate(versions) if word in str(plan)]
    assert all(str(plan).count(word) <= 1 for plan in versions)
    if there:
        assert there == list(range(there[0], there[-1] + 1))
        if there[-1] < len(versions) - 1:
            # only who had seen it took it away
            assert made[there[-1] + 1] >= there[0]


def test_a_very_large_plan_is_compared_one_element_after_the_other() -> None:
    """Each of these would take minutes if every element were held against every other."""
    many = 4_000
    same = {"detail": {"status": "scheduled", "description": "the same"}}
    notes = [{"text": f"note {number}"} for number in range(many)]
    base = with_ids(BASE | {"activity": [same] * many, "note": notes}, "activity")
    theirs, mine = deepcopy(base), deepcopy(base)
    for each in theirs["activity"]:
        each["detail"]["status"] = "on-hold"
    for each in mine["activity"]:
        each["detail"]["description"] = "mine"
    mine["note"] = [*notes, *({"text": f"mine {number}"} for number in range(many))]
    brought = brought_in(Contribution(mine, 1), base, theirs, ALL).resource
    assert brought is not None
    assert len(brought["note"]) == 2 * many
    assert check_plan(theirs, brought, ALL, {}) is brought
    versions = [Version(number, "", plan, UNKNOWN) for number, plan in enumerate((base, theirs, brought), 1)]
    assert sum(1 for _ in changes(base, brought, versions)) == 3 * many
    for each in mine["activity"]:
        each["detail"]["status"] = "cancelled"
    assert len(brought_in(Contribution(mine, 1), base, theirs, ALL).refused) == 3 * many
