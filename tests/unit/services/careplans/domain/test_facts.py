"""The facts of a write, found by comparing two versions."""

from services.careplans.domain.facts import What, plan_facts, team_facts
from tests.unit.services.careplans.domain.referrals import Told, after

REQUESTED, ACCEPTED = Told(1, "requested"), Told(2, "accepted", "3.0")
SCHEDULED = Told(3, "in-progress", "5.1.1")


def test_a_new_shared_plan_is_created_and_has_an_activity() -> None:
    created, added = plan_facts(None, after(REQUESTED).plan)
    assert (created.what, created.patient, created.status) == (What.CREATED, "Patient/p", "draft")
    assert "activity" in created.changed
    assert (added.what, added.activity, added.activity_status) == (
        What.ACTIVITY_ADDED,
        "ServiceRequest/s",
        "not-started",
    )
    assert added.discipline == "mental-health"


def test_a_changed_activity_is_told_beside_the_update() -> None:
    before, now = after(REQUESTED, ACCEPTED).plan, after(REQUESTED, ACCEPTED, SCHEDULED).plan
    updated, changed = plan_facts(before, now)
    assert (updated.what, updated.changed) == (What.UPDATED, ("activity",))
    assert (changed.what, changed.activity_status, changed.changed) == (
        What.ACTIVITY_CHANGED,
        "scheduled",
        ("extension",),
    )


def test_only_what_changed_is_named_and_meta_is_not() -> None:
    before = after(REQUESTED).plan
    (updated,) = plan_facts(before, {**before, "meta": {"versionId": "2"}, "status": "active", "title": "Other"})
    assert updated.changed == ("status", "title")


def test_the_plans_of_others_tell_of_no_activities() -> None:
    plan = {"resourceType": "CarePlan", "status": "active", "activity": [{"reference": {"reference": "Task/x"}}]}
    assert [fact.what for fact in plan_facts(None, plan)] == [What.CREATED]


def test_a_deleted_plan_still_says_whose_it_was() -> None:
    (deleted,) = plan_facts(after(REQUESTED).plan, None)
    assert (deleted.what, deleted.patient) == (What.DELETED, "Patient/p")


def test_a_shared_team_that_changes_names_its_plan() -> None:
    team = after(ACCEPTED).team
    (changed,) = team_facts(None, team)
    assert (changed.what, changed.plan) == (What.TEAM_CHANGED, "CarePlan/plan")
    assert team_facts(team, team) == ()
    assert team is not None
    assert team_facts(None, {key: value for key, value in team.items() if key != "identifier"}) == ()
