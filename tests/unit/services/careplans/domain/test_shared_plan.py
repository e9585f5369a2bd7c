"""A referral becomes part of the one shared plan."""

from copy import deepcopy
from dataclasses import replace
from functools import partial
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.careplans.domain import shared_plan
from services.careplans.domain.codes import ACTIVITY_STATUS, extension_value, followed_task, is_shared_plan
from services.careplans.domain.referral import merge
from services.careplans.domain.shared_plan import apply_referrals
from tests.unit.services.careplans.domain.referrals import NOON, PATIENT, Told, after, moment, witnessed

REQUESTED = Told(1, "requested")
RECEIVED = Told(2, "received", "2.0")
ACCEPTED = Told(3, "accepted", "3.0")
SCHEDULED = Told(4, "in-progress", "5.1.1")
COMPLETED = Told(5, "completed", "7.0", outputs=("DiagnosticReport/r", "DocumentReference/d"))
CANCELLED = Told(6, "cancelled", "6.0")


def test_the_first_referral_makes_a_draft_with_one_activity_and_no_team() -> None:
    change = after(REQUESTED)
    plan = change.plan
    assert is_shared_plan(plan)
    assert (plan["status"], plan["intent"], plan["subject"]) == ("draft", "plan", {"reference": PATIENT})
    (activity,) = plan["activity"]
    assert activity["id"] == "referral-t"
    assert activity["reference"] == {"reference": "ServiceRequest/s"}
    assert "detail" not in activity
    assert extension_value(activity, ACTIVITY_STATUS) == "not-started"
    assert change.team is None


def test_a_referral_without_an_order_is_referred_to_by_its_task() -> None:
    (activity,) = after(Told(1, "requested", service_request=None)).plan["activity"]
    assert activity["reference"] == {"reference": "Task/t"}


def test_the_first_acceptance_activates_the_plan_and_founds_the_team() -> None:
    change = after(REQUESTED, ACCEPTED)
    assert change.plan["status"] == "active"
    assert change.plan["careTeam"] == [{"reference": "CareTeam/team"}]
    assert change.team is not None
    assert change.team["status"] == "active"
    (participant,) = change.team["participant"]
    assert participant["member"] == {"reference": "Organization/clinic"}
    assert participant["role"][0]["coding"][0]["code"] == "mental-health"
    assert participant["period"] == {"start": "2025-03-04T15:00:00.000Z"}


def test_a_declined_referral_is_a_cancelled_activity_and_nobody_joins() -> None:
    change = after(RECEIVED, Told(3, "rejected", "4.0"))
    assert extension_value(change.plan["activity"][0], ACTIVITY_STATUS) == "cancelled"
    assert change.plan["status"] == "draft"
    assert change.team is None


def test_a_referral_cancelled_after_acceptance_ends_the_participation() -> None:
    team = after(RECEIVED, ACCEPTED, CANCELLED).team
    assert team is not None
    assert team["participant"][0]["period"] == {"start": "2025-03-04T15:00:00.000Z", "end": "2025-03-04T18:00:00.000Z"}


def test_completion_brings_the_outputs_and_keeps_the_participant() -> None:
    change = after(RECEIVED, ACCEPTED, COMPLETED)
    outcomes = change.plan["activity"][0]["outcomeReference"]
    assert [outcome["reference"] for outcome in outcomes] == ["DiagnosticReport/r", "DocumentReference/d"]
    assert change.team is not None
    assert "end" not in change.team["participant"][0]["period"]


def test_completion_without_outputs_has_no_outcome() -> None:
    assert "outcomeReference" not in after(ACCEPTED, Told(5, "completed")).plan["activity"][0]


def test_outputs_of_a_referral_that_goes_on_are_not_outcomes_yet() -> None:
    change = after(Told(4, "in-progress", "5.1.4", outputs=("DocumentReference/note",)))
    assert "outcomeReference" not in change.plan["activity"][0]


def test_a_second_referral_of_the_discipline_to_another_owner_adds_a_participant() -> None:
    other = Told(1, "accepted", task="Task/u", service_request="ServiceRequest/v", owner="Practitioner/q")
    change = after(ACCEPTED, other)
    assert len(change.plan["activity"]) == 2
    assert change.team is not None
    members = [entry["member"]["reference"] for entry in change.team["participant"]]
    assert members == ["Organization/clinic", "Practitioner/q"]


def test_two_referrals_to_the_same_owner_are_one_participant_that_ends_with_the_last() -> None:
    again = Told(1, "accepted", task="Task/u", service_request="ServiceRequest/v")
    team = after(ACCEPTED, again, CANCELLED).team
    assert team is not None
    (participant,) = team["participant"]
    assert participant["period"] == {"start": "2025-03-04T13:00:00.000Z"}
    ended = Told(2, "cancelled", task="Task/u", service_request="ServiceRequest/v")
    team = after(ACCEPTED, again, CANCELLED, ended).team
    assert team is not None
    assert team["participant"][0]["period"]["end"] == "2025-03-04T18:00:00.000Z"


def test_an_owner_that_no_team_may_have_is_no_participant() -> None:
    assert after(Told(3, "accepted", owner="HealthcareService/h")).team is None
    assert after(Told(3, "accepted", owner=None)).team is None


def test_a_referral_without_a_discipline_has_the_role_unknown() -> None:
    team = after(Told(3, "accepted", discipline=None)).team
    assert team is not None
    assert team["participant"][0]["role"][0]["coding"][0]["code"] == "unknown"


def test_what_people_wrote_survives() -> None:
    change = after(RECEIVED, ACCEPTED)
    plan, team = deepcopy(change.plan), deepcopy(change.team)
    assert team is not None
    own_activity = {"detail": {"status": "in-progress", "description": "Walk every day"}}
    plan |= {"goal": [{"reference": "Goal/g"}], "note": [{"text": "Prefers mornings"}], "status": "on-hold"}
    plan["activity"].insert(0, own_activity)
    plan["activity"][1]["progress"] = [{"text": "First visit went well"}]
    plan["activity"][1]["outcomeReference"] = [{"reference": "DiagnosticReport/r"}, {"reference": "Observation/o"}]
    plan["activity"][1]["extension"].append({"url": "https://example.org/x", "valueCode": "y"})
    family = {"member": {"reference": "RelatedPerson/mother"}}
    team["participant"].insert(0, family)
    team["participant"][1]["onBehalfOf"] = {"reference": "Organization/trust"}

    done = apply_referrals(plan, team, [witnessed(COMPLETED)], plan_id="x", team_id="x", patient=PATIENT, now=moment(9))

    assert done.plan["status"] == "on-hold"
    assert (done.plan["goal"], done.plan["note"]) == (plan["goal"], plan["note"])
    assert done.plan["activity"][0] == own_activity
    followed = done.plan["activity"][1]
    assert followed["progress"] == plan["activity"][1]["progress"]
    assert [outcome["reference"] for outcome in followed["outcomeReference"]] == [
        "DiagnosticReport/r",
        "Observation/o",
        "DocumentReference/d",
    ]
    assert {"url": "https://example.org/x", "valueCode": "y"} in followed["extension"]
    assert done.team is not None
    assert done.team["participant"][0] == family
    assert done.team["participant"][1]["onBehalfOf"] == {"reference": "Organization/trust"}


def test_a_plan_of_many_referrals_is_gone_through_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = Mock(side_effect=followed_task)
    monkeypatch.setattr(shared_plan, "followed_task", looks)
    many = [witnessed(Told(1, "requested", task=f"Task/{number}")) for number in range(100)]
    applied = partial(apply_referrals, plan_id="plan", team_id="team", patient=PATIENT, now=NOON)
    plan = applied(None, None, many).plan
    looks.reset_mock()
    applied(plan, None, [*many, witnessed(ACCEPTED)])
    assert looks.call_count == 100


def test_applying_what_is_there_already_changes_nothing() -> None:
    change = after(RECEIVED, ACCEPTED, COMPLETED)
    known = merge(witnessed(ACCEPTED), witnessed(COMPLETED))
    again = apply_referrals(change.plan, change.team, [known], plan_id="x", team_id="x", patient=PATIENT, now=NOON)
    assert (again.plan_changed, again.team_changed) == (False, False)


IN_ORDER = {
    "completed": (REQUESTED, RECEIVED, ACCEPTED, SCHEDULED, COMPLETED),
    "cancelled": (RECEIVED, ACCEPTED, SCHEDULED, Told(5, "in-progress", "5.2"), CANCELLED),
    "cancelled unanswered": (RECEIVED, Told(3, "in-progress", "5.2"), CANCELLED),
    "handed over": (RECEIVED, ACCEPTED, Told(4, "in-progress", "5.1.1", owner="PractitionerRole/new")),
    "amended": (ACCEPTED, COMPLETED, Told(6, "completed", "7.0", outputs=("DocumentReference/final",))),
    "in error": (RECEIVED, ACCEPTED, Told(4, "entered-in-error")),
}


def _story(task: str) -> list[Told]:
    return [replace(told, task=task) for told in (RECEIVED, ACCEPTED, SCHEDULED, COMPLETED)]


@given(st.data(), st.sampled_from(sorted(IN_ORDER)))
def test_any_order_with_duplicates_gives_the_plan_of_in_order_delivery(data: st.DataObject, story: str) -> None:
    events = IN_ORDER[story]
    repeated = data.draw(st.lists(st.sampled_from(events), max_size=4))
    shuffled = data.draw(st.permutations([*events, *repeated]))
    ordered, disordered = after(*events), after(*shuffled)
    assert (disordered.plan, disordered.team) == (ordered.plan, ordered.team)


@given(st.permutations([told for task in ("Task/t", "Task/u") for told in _story(task)]))
def test_two_referrals_whose_events_mix_are_two_activities_and_one_participant(events: list[Told]) -> None:
    mixed = after(*events)
    apart = after(*_story("Task/t"), *_story("Task/u"))
    assert sorted(mixed.plan["activity"], key=str) == sorted(apart.plan["activity"], key=str)
    assert mixed.team == apart.team
