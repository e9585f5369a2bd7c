"""Who may change which part of the shared plan, its team and its goals."""

from copy import deepcopy
from typing import Any

import pytest

from services.careplans.domain.codes import ACTIVITY_DISCIPLINE, DISCIPLINE_SYSTEM, GOAL_DISCIPLINE, extension_value
from services.careplans.domain.rules import (
    decide_care_plan,
    decide_care_team,
    decide_goal,
    looked_up_for_plan,
    teams_of_plans,
)
from shared.errors import Forbidden, Unprocessable
from shared.fhir.kinds import DecisionContext
from shared.security.caller import Caller, Discipline, Role
from tests.unit.services.careplans.domain.referrals import NOON, Told, after

Resource = dict[str, Any]
PT, MIND, PAIN = "physical-therapy", "mental-health", "pain-medicine"


def clinician(discipline: Discipline | None = None, *, user: str = "Practitioner/x", of: str | None = None) -> Caller:
    return Caller("c", Role.CLINICIAN, discipline, user, of)


def participant(id: str, member: str, *disciplines: str, end: str | None = None) -> Resource:
    made: Resource = {"id": id, "member": {"reference": member}}
    if disciplines:
        made["role"] = [{"coding": [{"system": DISCIPLINE_SYSTEM, "code": code}]} for code in disciplines]
    return made | ({"period": {"end": end}} if end else {})


def of(discipline: str | None) -> Resource:
    return {"extension": [{"url": ACTIVITY_DISCIPLINE, "valueCode": discipline}]} if discipline else {}


def activity(id: str, discipline: str | None, **more: Any) -> Resource:
    return {"id": id, **of(discipline), "detail": {"status": "scheduled", "description": id}, **more}


TEAM: Resource = after(Told(1, "requested"), Told(2, "accepted")).team or {}
TEAM["participant"] = [
    participant("pt", "Organization/moves", PT),
    participant("mind", "Practitioner/listens", MIND),
    participant("was", "Practitioner/left", PAIN, end="2025-01-01T00:00:00Z"),
]
PLAN = after(Told(1, "requested"), Told(2, "accepted")).plan
PLAN["careTeam"] = [{"reference": f"CareTeam/{TEAM['id']}"}]
PLAN["note"] = [{"text": "Before all."}]
PLAN["activity"] += [
    activity("walk", PT),
    activity("talk", MIND),
    activity("all", None),
    activity("stretch", "self-care"),
]
PATIENT = Caller("p", Role.PATIENT, None, "Patient/p")
MEMBER = clinician(of="Organization/moves")
WALK, TALK, ALL, STRETCH = range(1, 5)


def seen_by(caller: Caller, **related: Resource) -> DecisionContext:
    return DecisionContext(caller, NOON, {f"CareTeam/{TEAM['id']}": TEAM, **related})


def changed(place: int, plan: Resource = PLAN) -> Resource:
    edited = deepcopy(plan)
    edited["activity"][place]["detail"]["status"] = "in-progress"
    return edited


@pytest.mark.parametrize(
    ("caller", "may"),
    [
        (Caller("k", Role.COORDINATOR), {WALK, TALK, ALL, STRETCH}),
        (Caller("ehr", Role.SYSTEM), {WALK, TALK, ALL, STRETCH}),
        (MEMBER, {WALK, ALL}),
        (clinician(user="Practitioner/listens"), {TALK, ALL}),
        # a discipline in the token counts where nobody takes part for it, or where its bearer takes part
        (clinician(Discipline.PAIN_MEDICINE), {ALL}),
        (clinician(Discipline.PHYSICAL_THERAPY), set()),
        (clinician(Discipline.PHYSICAL_THERAPY, of="Organization/moves"), {WALK, ALL}),
        # who has left has no part any more, but for what nobody has taken over
        (clinician(user="Practitioner/left"), set()),
        (clinician(Discipline.PAIN_MEDICINE, user="Practitioner/left"), {ALL}),
        (clinician(), set()),
        (PATIENT, {STRETCH}),
        (Caller("q", Role.PATIENT, None, "Patient/q"), set()),
        (Caller("q", Role.PATIENT), set()),
    ],
)
def test_everybody_changes_their_own_part(caller: Caller, may: set[int]) -> None:
    for place in (WALK, TALK, ALL, STRETCH):
        for edited in (changed(place), _without(place)):
            if place in may:
                assert decide_care_plan(PLAN, edited, seen_by(caller)).resource == edited
            else:
                with pytest.raises(Forbidden):
                    decide_care_plan(PLAN, edited, seen_by(caller))


def _without(place: int) -> Resource:
    edited = deepcopy(PLAN)
    del edited["activity"][place]
    return edited


def test_a_refusal_names_the_part() -> None:
    with pytest.raises(Forbidden) as caught:
        decide_care_plan(PLAN, changed(TALK), seen_by(MEMBER))
    assert caught.value.issues[0].expression == ("CarePlan.activity.where(id='talk').detail.status",)


def test_nobody_takes_a_part_over() -> None:
    edited = deepcopy(PLAN)
    edited["activity"][TALK] |= of(PT)
    with pytest.raises(Forbidden):
        decide_care_plan(PLAN, edited, seen_by(MEMBER))


def test_what_is_added_gets_an_id_and_belongs_to_who_adds_it() -> None:
    edited = deepcopy(PLAN)
    edited["activity"].append({"detail": {"status": "scheduled", "description": "Swim"}})
    first, second = (decide_care_plan(PLAN, deepcopy(edited), seen_by(MEMBER)).resource for _ in range(2))
    assert first is not None
    assert second == first
    new = first["activity"][-1]
    assert extension_value(new, ACTIVITY_DISCIPLINE) == PT
    assert new["id"]
    other = deepcopy(PLAN)
    other["activity"].append(activity("swim", MIND))
    with pytest.raises(Forbidden):
        decide_care_plan(PLAN, other, seen_by(MEMBER))


def test_who_has_two_disciplines_says_for_which_it_is() -> None:
    both = clinician(Discipline.PAIN_MEDICINE, of="Organization/moves")
    edited = deepcopy(PLAN)
    edited["activity"].append({"detail": {"status": "scheduled", "description": "Swim"}})
    with pytest.raises(Unprocessable):
        decide_care_plan(PLAN, edited, seen_by(both))


def test_an_id_stands_once() -> None:
    edited = deepcopy(PLAN)
    edited["activity"].append(activity("walk", PT))
    with pytest.raises(Unprocessable):
        decide_care_plan(PLAN, edited, seen_by(MEMBER))


@pytest.mark.parametrize(
    ("caller", "note", "may"),
    [
        (MEMBER, {"text": "Walks well."}, True),
        (MEMBER, {"text": "Walks well.", "authorReference": {"reference": "Practitioner/x"}}, True),
        (MEMBER, {"text": "Walks well.", "authorReference": {"reference": "Practitioner/listens"}}, False),
        (PATIENT, {"text": "It hurts less.", "authorReference": {"reference": "Patient/p"}}, True),
        (clinician(), {"text": "Hello."}, False),
    ],
)
def test_a_note_is_in_ones_own_name(caller: Caller, note: Resource, may: bool) -> None:
    edited = PLAN | {"note": [*PLAN["note"], note]}
    if may:
        assert decide_care_plan(PLAN, edited, seen_by(caller)).resource == edited
    else:
        with pytest.raises(Forbidden):
            decide_care_plan(PLAN, edited, seen_by(caller))
    with pytest.raises(Forbidden):
        decide_care_plan(PLAN, PLAN | {"note": [note]}, seen_by(caller))


def test_a_team_that_only_names_itself_gives_no_rights() -> None:
    own = {"resourceType": "CareTeam", "id": "mine", "participant": [participant("me", "Practitioner/x", MIND)]}
    listed = PLAN | {"careTeam": [{"reference": "CareTeam/mine"}, *PLAN["careTeam"]]}
    with pytest.raises(Forbidden):
        decide_care_plan(listed, changed(TALK, listed), seen_by(clinician(), **{"CareTeam/mine": own}))
    assert "CareTeam/mine" in looked_up_for_plan(listed, listed)


@pytest.mark.parametrize(
    ("caller", "added", "may"),
    [
        (MEMBER, participant("new", "Practitioner/colleague", PT), True),
        (MEMBER, participant("new", "Practitioner/x", MIND), False),
        (MEMBER, participant("new", "Practitioner/x", PT, MIND), False),
        (MEMBER, participant("new", "RelatedPerson/mother"), True),
        (clinician(Discipline.PAIN_MEDICINE), participant("new", "Practitioner/x", PAIN), True),
        (clinician(), participant("new", "Practitioner/x", PAIN), False),
        (Caller("k", Role.COORDINATOR), participant("new", "Practitioner/x", MIND), True),
    ],
)
def test_who_takes_part_for_a_discipline_is_theirs_to_say(caller: Caller, added: Resource, may: bool) -> None:
    joined = TEAM | {"participant": [*TEAM["participant"], added]}
    if may:
        assert decide_care_team(TEAM, joined, seen_by(caller)).resource == joined
        assert decide_care_team(joined, TEAM, seen_by(caller)).resource == TEAM
    else:
        with pytest.raises(Forbidden):
            decide_care_team(TEAM, joined, seen_by(caller))


def goal(discipline: str | None = None, **more: Any) -> Resource:
    owner = {"extension": [{"url": GOAL_DISCIPLINE, "valueCode": discipline}]} if discipline else {}
    made = {"resourceType": "Goal", "id": "g", "lifecycleStatus": "proposed", "subject": {"reference": "Patient/p"}}
    return made | owner | more


@pytest.mark.parametrize(
    ("caller", "discipline", "may"),
    [
        (MEMBER, PT, True),
        (MEMBER, MIND, False),
        (MEMBER, None, True),
        (clinician(), None, False),
        (Caller("k", Role.COORDINATOR), MIND, True),
        (PATIENT, PT, False),
    ],
)
def test_a_goal_of_the_plan_is_changed_by_its_discipline(caller: Caller, discipline: str | None, may: bool) -> None:
    before = goal(discipline)
    edited = before | {"lifecycleStatus": "active"}
    context = seen_by(caller, **{f"CarePlan/{PLAN['id']}": PLAN | {"goal": [{"reference": "Goal/g"}]}})
    assert list(teams_of_plans(before, edited, context.related)) == [f"CareTeam/{TEAM['id']}"]
    if may:
        assert decide_goal(before, edited, context).resource == edited
    else:
        with pytest.raises(Forbidden):
            decide_goal(before, edited, context)


def test_a_goal_belongs_to_who_makes_it() -> None:
    made = decide_goal(None, goal(), seen_by(clinician(Discipline.PAIN_MEDICINE))).resource
    assert extension_value(made or {}, GOAL_DISCIPLINE) == PAIN
    assert decide_goal(None, goal(MIND), seen_by(Caller("k", Role.COORDINATOR))).resource == goal(MIND)
    with pytest.raises(Forbidden):
        decide_goal(None, goal(MIND), seen_by(clinician(Discipline.PAIN_MEDICINE)))


def test_goals_come_and_go_with_whose_they_are() -> None:
    listed = PLAN | {"goal": [{"reference": "Goal/g"}]}
    for caller, discipline, may in ((MEMBER, PT, True), (MEMBER, MIND, False), (PATIENT, "self-care", True)):
        for before, after_ in ((PLAN, listed), (listed, PLAN)):
            context = seen_by(caller, **{"Goal/g": goal(discipline)})
            assert "Goal/g" in looked_up_for_plan(before, after_)
            if may:
                assert decide_care_plan(before, after_, context).resource == after_
            else:
                with pytest.raises(Forbidden):
                    decide_care_plan(before, after_, context)


@pytest.mark.parametrize(
    ("more", "may"),
    [
        ({"expressedBy": {"reference": "Patient/p"}}, True),
        ({}, False),
        ({"expressedBy": {"reference": "Practitioner/x"}}, False),
        ({"expressedBy": {"reference": "Patient/p"}, "subject": {"reference": "Patient/q"}}, False),
        ({"expressedBy": {"reference": "Patient/p"}, "lifecycleStatus": "active"}, False),
    ],
)
def test_a_patient_says_what_they_want_to_reach(more: Resource, may: bool) -> None:
    wanted = goal(**more)
    if may:
        made = decide_goal(None, wanted, seen_by(PATIENT)).resource
        assert extension_value(made or {}, GOAL_DISCIPLINE) == "self-care"
        with pytest.raises(Forbidden):
            decide_goal(made, None, seen_by(PATIENT))
    else:
        with pytest.raises(Forbidden):
            decide_goal(None, wanted, seen_by(PATIENT))
