"""An event becomes messages: once, in one transaction, whatever order and however often it comes."""

import asyncio

import pytest
from pydantic import ValidationError

from services.notifications.domain.preferences import Channel, Preference
from services.notifications.store import preferences
from shared.contracts.careplans import DiagnosisEvent, OutcomeEvent, SafetyEvent
from shared.contracts.notifications import NotificationEvent
from shared.contracts.referrals import ReferralEvent
from shared.engine import Engine
from shared.fhir.json import loads
from shared.messaging.envelope import Event
from tests.integration.notifications.support import (
    FAR,
    LIND,
    MOSS,
    communications,
    deliveries,
    hears,
    plan,
    prefers,
    referral,
    said,
)


def failure(communication: str) -> Event:
    data = {
        "communication": communication,
        "recipient": LIND,
        "channel": "email",
        "attempts": 9,
        "caused_by": "e1",
        "occurred_at": "2026-03-01T09:00:00.000Z",
    }
    return Event("e9", "/consilium/notifications", NotificationEvent.FAILED, communication, "t", data)


async def stream_receivers(engine: Engine) -> list[str]:
    return [row[0] for row in await engine.pool.fetch("SELECT receiver FROM stream_entry ORDER BY seq")]


async def test_an_accepted_referral_is_told_to_its_requester_in_the_stream(engine: Engine) -> None:
    event = referral("accepted")
    await hears(engine, event)
    (communication,) = await communications(engine.pool)
    assert communication["status"] == "completed"
    assert communication["recipient"] == [{"reference": LIND}]
    assert communication["about"] == [{"reference": "Task/t1"}]
    assert communication["basedOn"] == [{"reference": "ServiceRequest/s1"}]
    assert communication["subject"] == {"reference": "Patient/p1"}
    assert communication["payload"] == [{"contentString": "A referral to mental health was accepted."}]
    row = await engine.pool.fetchrow("SELECT * FROM stream_entry")
    assert row is not None
    assert loads(row["data"])["communication"] == f"Communication/{communication['id']}"
    ((type_, payload),) = await said(engine.pool)
    assert type_ == NotificationEvent.DELIVERED
    assert (payload.recipient, payload.channel, payload.caused_by) == (LIND, "stream", event.id)


async def test_an_event_that_comes_again_is_told_once(engine: Engine) -> None:
    event = referral("accepted")
    await hears(engine, event, event)
    await asyncio.gather(*(hears(engine, event) for _ in range(5)))
    assert len(await communications(engine.pool)) == 1
    assert await stream_receivers(engine) == [LIND]


async def test_all_at_the_same_moment_is_told_once(engine: Engine) -> None:
    event = referral("cancelled")
    await asyncio.gather(*(hears(engine, event) for _ in range(8)))
    assert sorted(await stream_receivers(engine)) == [LIND, MOSS]


async def test_preferences_open_other_channels_beside_the_stream(engine: Engine) -> None:
    await prefers(engine, LIND, Channel.EMAIL, "lind@clinic.example")
    await prefers(engine, LIND, Channel.WEBHOOK, "https://ehr.example/", enabled=False)
    await hears(engine, referral("accepted"))
    assert [(row["channel"], row["status"]) for row in await deliveries(engine.pool)] == [
        ("email", "pending"),
        ("stream", "delivered"),
    ]
    (communication,) = await communications(engine.pool)
    assert communication["status"] == "in-progress"


async def test_a_change_of_the_plan_is_told_to_the_others_on_the_team(engine: Engine) -> None:
    await hears(
        engine,
        referral("accepted"),
        referral("accepted", task="Task/t2", service_request="ServiceRequest/s2", owner=FAR),
        plan("activity-changed", activity="ServiceRequest/s1"),
    )
    about_plan = [one for one in await communications(engine.pool) if one["about"] == [{"reference": "CarePlan/c1"}]]
    assert [one["recipient"] for one in about_plan] == [[{"reference": FAR}]]


async def test_who_accepts_does_not_hear_that_the_team_has_changed_by_it(engine: Engine) -> None:
    accepted = referral("accepted")
    await hears(engine, referral("accepted", task="Task/t2", service_request="ServiceRequest/s2", owner=FAR))
    await hears(engine, accepted, plan("team-changed", activity=None, caused_by=accepted.id))
    about_plan = [one for one in await communications(engine.pool) if one["about"] == [{"reference": "CarePlan/c1"}]]
    assert [one["recipient"] for one in about_plan] == [[{"reference": FAR}]]


async def test_one_cause_is_told_once_whichever_of_its_events_comes_first(engine: Engine) -> None:
    accepted = referral("accepted", task="Task/t2", service_request="ServiceRequest/s2", owner=FAR)
    await hears(engine, referral("accepted"), accepted)
    completed = referral("completed", version=3, status="completed")
    changed = [
        plan("activity-changed", activity="ServiceRequest/s9", caused_by=completed.id),
        plan("team-changed", activity="ServiceRequest/s9", caused_by=completed.id),
    ]
    await hears(engine, changed[0], completed, changed[1])
    rows = [row for row in await deliveries(engine.pool) if row["told_as"] == completed.id]
    assert sorted(row["receiver"] for row in rows) == [FAR, LIND, MOSS]


async def test_an_old_version_of_a_referral_does_not_bring_back_its_team(engine: Engine) -> None:
    await hears(
        engine,
        referral("cancelled", version=5, status="cancelled"),
        referral("accepted", version=2, status="accepted"),
        plan("team-changed", activity=None),
    )
    assert all(one["about"] == [{"reference": "Task/t1"}] for one in await communications(engine.pool))


async def test_a_failed_notification_is_told_to_the_coordinators(engine: Engine) -> None:
    await hears(engine, referral("accepted"))
    (communication,) = await communications(engine.pool)
    await hears(engine, failure(f"Communication/{communication['id']}"))
    assert await stream_receivers(engine) == [LIND, "role:coordinator"]


async def test_a_failed_notification_that_was_deleted_is_told_to_nobody(engine: Engine) -> None:
    await hears(engine, failure("Communication/gone"))
    assert await stream_receivers(engine) == []


async def test_an_event_of_no_interest_leaves_nothing(engine: Engine) -> None:
    delivered = Event("e9", "/consilium/notifications", NotificationEvent.DELIVERED, "Communication/c1", "t", {})
    await hears(engine, delivered, plan("updated"))
    assert await communications(engine.pool) == []


async def test_a_payload_that_fits_no_contract_is_refused_and_can_come_again(engine: Engine) -> None:
    broken = Event("e9", "/consilium/referrals", ReferralEvent.ACCEPTED, "Task/t1", "t", {"task": "Task/t1"})
    with pytest.raises(ValidationError):
        await hears(engine, broken)
    await hears(engine, referral("accepted", id="e9"))
    assert len(await communications(engine.pool)) == 1


async def test_what_must_be_looked_at_today_is_in_the_stream_of_who_muted_it(engine: Engine) -> None:
    await hears(engine, referral("accepted"))
    await prefers(engine, MOSS, Channel.EMAIL, "moss@example.org")
    await preferences.put(engine.pool, Preference(MOSS, Channel.STREAM, False), None, None, engine.clock())
    where = "QuestionnaireResponse/r1"
    data = {"resource": where, "version": 1, "patient": "Patient/p1", "code": "44260-8", "occurred_at": "2026-03-01"}
    event = Event("e9", "/consilium/careplans", SafetyEvent.SELF_HARM_ITEM_POSITIVE, where, "t", data)
    await hears(engine, event, event)
    told = [row for row in await deliveries(engine.pool) if row["event_id"] == "e9"]
    assert [(row["receiver"], row["channel"]) for row in told] == [
        (LIND, "stream"),
        (MOSS, "email"),
        (MOSS, "stream"),
        ("role:coordinator", "stream"),
    ]
    about = [one for one in await communications(engine.pool) if one["about"] == [{"reference": where}]]
    assert {one["payload"][0]["contentString"] for one in about} == {
        "An answer in a questionnaire must be looked at today, for the patient's safety."
    }


@pytest.mark.parametrize(
    ("type_", "about", "data"),
    [
        (SafetyEvent.SELF_HARM_ITEM_ON_RECORD, "QuestionnaireResponse/r1",
            {"resource": "QuestionnaireResponse/r1", "code": "44260-8"}),
        (OutcomeEvent.REVIEW_DUE, "CarePlan/c1",
            {"observation": "Observation/o", "care_plan": "CarePlan/c1", "measure": "peg", "causes": ["band-crossed"],
             "measured": "2026-03-01"}),
        (DiagnosisEvent.REVISIT_DUE, "Condition/x", {"condition": "Condition/x", "revisit_by": "2026-03-01"}),
    ],
)  # fmt: skip
async def test_what_is_not_of_today_can_be_muted(
    engine: Engine, type_: str, about: str, data: dict[str, object]
) -> None:
    await hears(engine, referral("accepted"))
    await prefers(engine, MOSS, Channel.EMAIL, "moss@example.org")
    await preferences.put(engine.pool, Preference(MOSS, Channel.STREAM, False), None, None, engine.clock())
    whole = {"version": 1, "patient": "Patient/p1", "occurred_at": "2026-03-01"} | data
    event = Event("e9", "/consilium/careplans", type_, about, "t", whole)
    await hears(engine, event, event)
    told = [row for row in await deliveries(engine.pool) if row["event_id"] == "e9"]
    assert [(row["receiver"], row["channel"]) for row in told] == [
        (LIND, "stream"),
        (MOSS, "email"),
        ("role:coordinator", "stream"),
    ]
    assert [one["about"] for one in await communications(engine.pool)][-1] == [{"reference": about}]
