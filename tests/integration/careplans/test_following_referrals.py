"""A referral's events become one shared plan, whatever the network does to them."""

import asyncio
import random

import pytest

from services.careplans.domain.codes import ACTIVITY_STATUS, extension_value
from services.careplans.domain.rules import KEEPER
from shared.engine import Engine
from shared.errors import Unavailable
from shared.fhir.json import Resource
from shared.unit_of_work import unit_of_work
from tests.factories.resources import care_plan
from tests.integration.careplans.hearing import (
    Referral,
    hear,
    new_patient,
    plans_of,
    shared_plan,
    shared_team,
    store,
    told,
)

STORY = ("requested", "received", "accepted", "scheduled", "completed")


def statuses(plan: Resource) -> list[str]:
    return [extension_value(activity, ACTIVITY_STATUS) for activity in plan["activity"]]


def content(resource: Resource) -> Resource:
    return {
        key: value for key, value in resource.items() if key not in ("id", "meta", "created", "identifier", "careTeam")
    }


async def test_a_referral_goes_through_the_plan_from_draft_to_outcome(engine: Engine) -> None:
    patient = await new_patient(engine)
    report = await store(engine, {"resourceType": "Basic", "code": {"text": "report"}})
    referral = Referral(patient)
    await hear(engine, referral.event("requested"))
    assert (await shared_plan(engine, patient))["status"] == "draft"
    await hear(engine, referral.event("accepted"), referral.event("completed", outputs=(report,)))
    plan, team = await shared_plan(engine, patient), await shared_team(engine, patient)
    assert plan["status"] == "active"
    assert statuses(plan) == ["completed"]
    assert plan["activity"][0]["outcomeReference"][0]["reference"] == report
    assert plan["careTeam"] == [{"reference": f"CareTeam/{team['id']}"}]
    assert [entry["member"]["reference"] for entry in team["participant"]] == ["Organization/clinic"]


async def test_three_disciplines_share_one_plan_and_an_existing_plan_stays_alone(engine: Engine) -> None:
    patient = await new_patient(engine)
    theirs = await store(engine, care_plan(patient))
    for discipline in ("pain-medicine", "mental-health", "physical-therapy"):
        referral = Referral(patient, discipline, owner=f"Organization/{discipline}")
        await hear(engine, referral.event("received"), referral.event("accepted"))
    assert await plans_of(engine, patient) == 2
    assert len((await shared_plan(engine, patient))["activity"]) == 3
    assert len((await shared_team(engine, patient))["participant"]) == 3
    stored = await engine.pool.fetchval("SELECT version FROM resource WHERE id = $1", theirs.split("/")[1])
    assert stored == 1


@pytest.mark.parametrize("seed", range(6))
async def test_events_in_any_order_and_twice_give_the_same_plan(engine: Engine, seed: int) -> None:
    tidy, untidy = await new_patient(engine), await new_patient(engine)
    one = Referral(tidy, task="Task/a", service_request="ServiceRequest/s")
    other = Referral(untidy, task="Task/b", service_request="ServiceRequest/s")
    await hear(engine, *(one.event(step) for step in STORY))
    events = [other.event(step) for step in STORY]
    events += random.Random(seed).choices(events, k=3)
    random.Random(seed).shuffle(events)
    await hear(engine, *events)
    plans = [content(await shared_plan(engine, of)) for of in (tidy, untidy)]
    for plan, task in zip(plans, ("a", "b"), strict=True):
        del plan["subject"]
        assert plan["activity"][0].pop("id") == f"referral-{task}"
        plan["activity"][0]["extension"] = [e for e in plan["activity"][0]["extension"] if "valueCode" in e]
    assert plans[0] == plans[1]
    teams = [(await shared_team(engine, of))["participant"] for of in (tidy, untidy)]
    assert teams[0] == teams[1]


async def test_the_same_event_again_changes_nothing_and_tells_nothing(engine: Engine) -> None:
    patient = await new_patient(engine)
    accepted = Referral(patient).event("accepted")
    await hear(engine, accepted)
    before, events = await shared_plan(engine, patient), len(await told(engine))
    await hear(engine, accepted, accepted)
    assert await shared_plan(engine, patient) == before
    assert len(await told(engine)) == events


async def test_two_workers_and_many_referrals_at_once_make_one_plan(engine: Engine) -> None:
    patient = await new_patient(engine)
    referrals = [Referral(patient, owner=f"Practitioner/{n}") for n in range(8)]
    await asyncio.gather(*(hear(engine, one.event(step)) for one in referrals for step in ("received", "accepted")))
    assert await plans_of(engine, patient) == 1
    assert len((await shared_plan(engine, patient))["activity"]) == 8
    assert len((await shared_team(engine, patient))["participant"]) == 8


async def test_one_event_delivered_to_two_workers_at_once_has_one_effect(engine: Engine) -> None:
    patient = await new_patient(engine)
    event = Referral(patient).event("accepted")
    await asyncio.gather(*(hear(engine, event) for _ in range(6)))
    assert (await shared_plan(engine, patient))["meta"]["versionId"] == "1"
    assert len(await told(engine)) == 3  # team changed, plan created, activity added


async def test_a_referral_that_comes_before_its_patient_is_delivered_again(engine: Engine) -> None:
    event = Referral("Patient/later").event("received")
    with pytest.raises(Unavailable):
        await hear(engine, event)
    assert await engine.pool.fetchval("SELECT count(*) FROM shared_plan") == 0
    async with unit_of_work(engine, KEEPER) as work:
        await work.create({"resourceType": "Patient"}, id="later")
        await work.commit()
    await hear(engine, event)
    assert statuses(await shared_plan(engine, "Patient/later")) == ["not-started"]


async def test_a_report_that_is_late_holds_up_nothing_and_is_added_when_it_is_here(engine: Engine) -> None:
    patient = await new_patient(engine)
    completed = Referral(patient).event("completed", outputs=("Basic/report", "Task/of-another-service"))
    with pytest.raises(Unavailable):
        await hear(engine, completed)
    plan = await shared_plan(engine, patient)
    assert statuses(plan) == ["completed"]
    assert [entry["reference"] for entry in plan["activity"][0]["outcomeReference"]] == ["Task/of-another-service"]
    await store(engine, {"resourceType": "Basic", "code": {"text": "report"}}, id="report")
    await hear(engine, completed)
    (activity,) = (await shared_plan(engine, patient))["activity"]
    assert {entry["reference"] for entry in activity["outcomeReference"]} == {"Basic/report", "Task/of-another-service"}


@pytest.mark.parametrize("payload", [{"patient": None}, {"patient": "Group/g"}, {"status": "draft"}])
async def test_what_is_no_referral_of_a_patient_makes_no_plan(engine: Engine, payload: dict[str, object]) -> None:
    patient = await new_patient(engine)
    await hear(engine, Referral(patient).event("requested", **payload))
    assert await plans_of(engine, patient) == 0


async def test_after_a_plan_has_ended_a_new_referral_opens_the_next_and_the_old_one_is_followed(engine: Engine) -> None:
    patient = await new_patient(engine)
    old = Referral(patient)
    await hear(engine, old.event("accepted"))
    first = await shared_plan(engine, patient)
    async with unit_of_work(engine, KEEPER) as work:
        await work.update({**first, "status": "completed"})
        await work.commit()
    new = Referral(patient, "physical-therapy")
    await hear(engine, new.event("received"), old.event("completed"))
    second = await shared_plan(engine, patient)
    assert second["id"] != first["id"]
    assert [activity["reference"]["reference"] for activity in second["activity"]] == [new.service_request]
    body = await engine.pool.fetchval("SELECT body FROM resource WHERE id = $1", first["id"])
    assert b'"valueCode":"completed"' in body


async def test_events_say_what_changed_and_what_caused_it(engine: Engine) -> None:
    patient = await new_patient(engine)
    referral = Referral(patient)
    received, accepted = referral.event("received"), referral.event("accepted")
    scheduled = referral.event("scheduled")
    await hear(engine, received, accepted, scheduled)
    plan, team = await shared_plan(engine, patient), await shared_team(engine, patient)
    events = await told(engine)
    assert [(event.type.split(".")[1], event.data["caused_by"]) for event in events] == [
        ("created", received.id),
        ("activity-added", received.id),
        ("team-changed", accepted.id),
        ("updated", accepted.id),
        ("updated", scheduled.id),
        ("activity-changed", scheduled.id),
    ]
    assert {event.subject for event in events} == {f"CarePlan/{plan['id']}"}
    assert events[2].data["care_team"] == f"CareTeam/{team['id']}"
    assert events[3].data["changed"] == ["careTeam", "status"]
    assert events[5].data | {"occurred_at": ""} == {
        "care_plan": f"CarePlan/{plan['id']}",
        "version": 3,
        "patient": patient,
        "care_team": f"CareTeam/{team['id']}",
        "status": "active",
        "changed": ["extension"],
        "activity": referral.service_request,
        "activity_status": "scheduled",
        "discipline": "mental-health",
        "caused_by": scheduled.id,
        "occurred_at": "",
    }
