"""Who may write the shared record, and what may follow what."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from services.careplans.domain import states
from services.careplans.domain.codes import ACTIVITY_DISCIPLINE
from services.careplans.domain.rules import (
    KEEPER,
    decide_care_plan,
    decide_care_team,
    decide_goal,
    decide_questionnaire_response,
    decide_record,
)
from shared.errors import Conflict, Forbidden, Unprocessable
from shared.fhir.kinds import Decide, DecisionContext
from shared.security.caller import Caller, Discipline, Role
from tests.unit.services.careplans.domain.referrals import NOON, Told, after

CLINICIAN = DecisionContext(Caller("c", Role.CLINICIAN, Discipline.MENTAL_HEALTH, "Practitioner/c"), NOON)
PATIENT = DecisionContext(Caller("p", Role.PATIENT, fhir_user="Patient/p"), NOON)
CAREPLANS = DecisionContext(KEEPER, NOON)
EHR_PLAN: dict[str, Any] = {
    "resourceType": "CarePlan",
    "status": "active",
    "intent": "plan",
    "subject": {"reference": "Patient/p"},
}
SHARED = after(Told(1, "requested"), Told(2, "accepted")).plan
TEAM = after(Told(1, "requested"), Told(2, "accepted")).team


@pytest.mark.parametrize("decide", [decide_record, decide_care_plan, decide_care_team, decide_goal])
@pytest.mark.parametrize(("before", "after_"), [(None, EHR_PLAN), (EHR_PLAN, EHR_PLAN), (EHR_PLAN, None)])
def test_a_patient_does_not_write_the_record(decide: Decide, before: Any, after_: Any) -> None:
    with pytest.raises(Forbidden):
        decide(before, after_, PATIENT)


@pytest.mark.parametrize(
    ("before", "after_", "allowed"),
    [
        (None, "Patient/p", True),
        (None, "Patient/q", False),
        (None, None, False),
        ("Patient/q", "Patient/p", False),
        ("Patient/p", "Patient/q", False),
    ],
)
def test_a_patient_gives_their_own_answers_only(before: str | None, after_: str | None, allowed: bool) -> None:
    def answers(subject: str | None) -> dict[str, Any]:
        return {"resourceType": "QuestionnaireResponse", "subject": {"reference": subject}}

    old = answers(before) if before else None
    if allowed:
        assert decide_questionnaire_response(old, answers(after_), PATIENT).resource == answers(after_)
    else:
        with pytest.raises(Forbidden):
            decide_questionnaire_response(old, answers(after_), PATIENT)


ME, OTHER = {"reference": "Patient/p"}, {"reference": "Practitioner/lind"}


@pytest.mark.parametrize("element", ["author", "source"])
@pytest.mark.parametrize(
    ("before", "after_", "allowed"),
    [
        (None, ME, True),
        (ME, ME, True),
        (ME, None, True),
        (None, OTHER, False),
        (None, {"reference": "Patient/q"}, False),
        (None, {"identifier": {"value": "lind"}}, False),
        (None, {"display": "Lind"}, False),
        (OTHER, ME, False),
        (ME, OTHER, False),
        (OTHER, "deleted", False),
        (ME, "deleted", True),
    ],
)
def test_a_patient_gives_answers_in_nobody_elses_name(element: str, before: Any, after_: Any, allowed: bool) -> None:
    def answers(by: Any) -> dict[str, Any] | None:
        mine: dict[str, Any] = {"resourceType": "QuestionnaireResponse", "subject": ME}
        return None if by == "deleted" else mine if by is None else mine | {element: by}

    old = answers("deleted" if before is None else before)
    if allowed:
        assert decide_questionnaire_response(old, answers(after_), PATIENT).resource == answers(after_)
        return
    with pytest.raises(Forbidden) as caught:
        decide_questionnaire_response(old, answers(after_), PATIENT)
    assert caught.value.issues[0].expression == (f"QuestionnaireResponse.{element}",)
    assert decide_questionnaire_response(old, answers(after_), CLINICIAN).resource == answers(after_)


LEGAL_PLAN = [
    (before, after_) for before, legal in states.CARE_PLAN.items() for after_ in states.CARE_PLAN if after_ in legal
]


@pytest.mark.parametrize("before", states.CARE_PLAN)
@pytest.mark.parametrize("after_", states.CARE_PLAN)
def test_a_plan_moves_as_the_table_says(before: str, after_: str) -> None:
    old, new = {**EHR_PLAN, "status": before}, {**EHR_PLAN, "status": after_}
    if before == after_ or (before, after_) in LEGAL_PLAN:
        assert decide_care_plan(old, new, CLINICIAN).resource == new
    else:
        with pytest.raises(Conflict):
            decide_care_plan(old, new, CLINICIAN)


@pytest.mark.parametrize("table", [states.CARE_PLAN, states.GOAL])
def test_an_error_can_be_admitted_in_every_state_and_is_final(table: states.Transitions) -> None:
    assert all("entered-in-error" in legal for state, legal in table.items() if state != "entered-in-error")
    assert table["entered-in-error"] == frozenset()


@pytest.mark.parametrize(
    ("before", "after_", "legal"),
    [
        ("proposed", "active", True),
        ("active", "on-hold", True),
        ("completed", "active", False),
        ("rejected", "planned", False),
    ],
)
def test_a_goal_moves_as_the_table_says(before: str, after_: str, legal: bool) -> None:
    goal = {"resourceType": "Goal", "subject": {"reference": "Patient/p"}}
    old, new = {**goal, "lifecycleStatus": before}, {**goal, "lifecycleStatus": after_}
    if legal:
        assert decide_goal(old, new, CLINICIAN).resource == new
    else:
        with pytest.raises(Conflict):
            decide_goal(old, new, CLINICIAN)


def test_the_subject_stays() -> None:
    with pytest.raises(Unprocessable):
        decide_care_plan(EHR_PLAN, {**EHR_PLAN, "subject": {"reference": "Patient/q"}}, CLINICIAN)
    renamed = {**EHR_PLAN, "subject": {"reference": "Patient/p", "display": "a new text"}}
    assert decide_care_plan(EHR_PLAN, renamed, CLINICIAN).resource == renamed


def test_only_the_service_makes_a_shared_plan() -> None:
    assert decide_care_plan(None, SHARED, CAREPLANS).resource == SHARED
    for before, after_ in ((None, SHARED), (EHR_PLAN, SHARED), (SHARED, EHR_PLAN), (SHARED, None)):
        with pytest.raises(Conflict):
            decide_care_plan(before, after_, CLINICIAN)


def test_people_add_to_the_shared_plan() -> None:
    edited = deepcopy(SHARED) | {"goal": [{"reference": "Goal/g"}]}
    own = {"url": ACTIVITY_DISCIPLINE, "valueCode": "mental-health"}
    stretch = {"id": "stretch", "extension": [own], "detail": {"status": "not-started", "description": "Stretch"}}
    edited["activity"].append(stretch)
    edited["activity"][0]["progress"] = [{"text": "Going well"}]
    assert decide_care_plan(SHARED, edited, CLINICIAN).resource == edited


@pytest.mark.parametrize("edit", ["remove", "status", "reference", "twice"])
def test_people_do_not_move_an_activity_that_follows_a_referral(edit: str) -> None:
    edited = deepcopy(SHARED)
    activity = edited["activity"][0]
    if edit == "remove":
        del edited["activity"]
    elif edit == "status":
        activity["extension"][0]["valueCode"] = "completed"
    elif edit == "reference":
        activity["reference"] = {"reference": "ServiceRequest/other"}
    else:
        edited["activity"].append(deepcopy(activity))
    with pytest.raises(Unprocessable):
        decide_care_plan(SHARED, edited, CLINICIAN)


def test_ids_of_what_follows_referrals_are_the_servers() -> None:
    assert TEAM is not None
    coordinator = DecisionContext(Caller("k", Role.COORDINATOR), NOON)
    taken = {"id": "referral-of-tomorrow"}
    plan = deepcopy(SHARED)
    plan["activity"].append(taken | {"detail": {"status": "not-started", "description": "Stretch"}})
    with pytest.raises(Unprocessable, match="given by the server"):
        decide_care_plan(SHARED, plan, coordinator)
    assert decide_care_plan(plan, plan, coordinator).resource == plan, "what is there already may stay"
    team = deepcopy(TEAM)
    team["participant"].append(taken | {"member": {"reference": "RelatedPerson/mother"}})
    with pytest.raises(Unprocessable, match="given by the server"):
        decide_care_team(TEAM, team, coordinator)


def test_the_shared_team_stays_with_its_plan_and_people_join_it() -> None:
    assert TEAM is not None
    joined = deepcopy(TEAM)
    joined["participant"].append({"id": "mother", "member": {"reference": "RelatedPerson/mother"}})
    coordinator = DecisionContext(Caller("k", Role.COORDINATOR), NOON)
    assert decide_care_team(TEAM, joined, coordinator).resource == joined
    stranger = {key: value for key, value in TEAM.items() if key != "identifier"}
    for before, after_ in ((TEAM, stranger), (TEAM, None), (stranger, TEAM), (None, TEAM)):
        with pytest.raises(Conflict):
            decide_care_team(before, after_, CLINICIAN)


def test_a_token_that_names_our_worker_is_not_our_worker() -> None:
    impostor = DecisionContext(replace(KEEPER), NOON)
    with pytest.raises(Conflict):
        decide_care_plan(None, SHARED, impostor)
    with pytest.raises(Conflict):
        decide_care_team(None, TEAM, impostor)
