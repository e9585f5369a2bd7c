"""Contracts become happenings."""

from typing import Any

import pytest

from services.notifications.events.incoming import (
    of_care_plan,
    of_clock,
    of_diagnosis,
    of_exchange,
    of_failure,
    of_outcome,
    of_referral,
    of_safety,
    parties_of,
)
from shared.contracts.careplans import CarePlanV1, DiagnosisV1, OutcomeV1, SafetyV1
from shared.contracts.notifications import NotificationV1
from shared.contracts.referrals import ReferralClockV1, ReferralExchangeV1, ReferralV1
from shared.messaging.envelope import Event

AT = "2026-03-01T09:00:00.000Z"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def event(type: str, subject: str, **data: Any) -> Event:
    return Event("e2", "/consilium/x", type, subject, AT, data, traceparent=TRACE)


def test_a_step_of_a_referral_keeps_who_and_what_it_names() -> None:
    payload = ReferralV1(
        task="Task/t",
        version=3,
        status="accepted",
        service_request="ServiceRequest/s",
        patient="Patient/p",
        discipline="mental-health",
        requester="Practitioner/a",
        owner="Practitioner/b",
        occurred_at=AT,
    )
    told = of_referral(event("referral.accepted.v1", "Task/t"), payload)
    assert (told.focus, told.requester, told.owner, told.based_on) == (
        "Task/t",
        "Practitioner/a",
        "Practitioner/b",
        "ServiceRequest/s",
    )
    assert told.told_as == "e2"
    assert told.traceparent == TRACE
    assert parties_of(payload).members == ("Practitioner/a", "Practitioner/b")


@pytest.mark.parametrize(
    ("addressee", "awaited"),
    [("recipient", "Practitioner/b"), ("initiator", "Practitioner/a"), ("coordinator", "Practitioner/b")],
)
def test_a_referral_that_waits_names_whose_turn_it_is(addressee: str, awaited: str) -> None:
    payload = ReferralClockV1(
        task="Task/t",
        version=3,
        waits_for="report",
        waits_since=AT,
        addressee=addressee,
        due_at=AT,
        planned_at=AT,
        late=True,
        requester="Practitioner/a",
        owner="Practitioner/b",
        occurred_at=AT,
    )
    told = of_clock(event("referral-clock.reminder.v1", "Task/t"), payload)
    assert (told.focus, told.awaited, told.waits_for, told.late) == ("Task/t", awaited, "report", True)


def test_a_referral_that_is_carried_on_elsewhere_is_about_its_task() -> None:
    payload = ReferralExchangeV1(
        task="Task/t", version=3, endpoint="Endpoint/e", status="accepted", patient="Patient/p", occurred_at=AT
    )
    told = of_exchange(event("referral-exchange.conflict.v1", "Task/t"), payload)
    assert (told.focus, told.patient, told.owner) == ("Task/t", "Patient/p", None)


def test_a_change_of_the_plan_is_told_under_the_event_that_led_to_it() -> None:
    payload = CarePlanV1(
        care_plan="CarePlan/c",
        version=2,
        patient="Patient/p",
        activity="ServiceRequest/s",
        caused_by="e1",
        occurred_at=AT,
    )
    told = of_care_plan(event("careplan.activity-changed.v1", "CarePlan/c"), payload)
    assert (told.event_id, told.told_as, told.based_on) == ("e2", "e1", "ServiceRequest/s")


def test_what_must_be_looked_at_today_is_about_where_it_was_found() -> None:
    payload = SafetyV1(
        resource="QuestionnaireResponse/r", version=1, patient="Patient/p", code="44260-8", occurred_at=AT
    )
    told = of_safety(event("safety.self-harm-item-positive.v1", "QuestionnaireResponse/r"), payload)
    assert (told.focus, told.patient) == ("QuestionnaireResponse/r", "Patient/p")


def test_a_diagnosis_to_look_at_again_is_about_its_condition() -> None:
    payload = DiagnosisV1(
        condition="Condition/x", version=2, patient="Patient/p", revisit_by="2026-03-01", occurred_at=AT
    )
    told = of_diagnosis(event("diagnosis.revisit-due.v1", "Condition/x"), payload)
    assert (told.focus, told.patient) == ("Condition/x", "Patient/p")


def test_a_review_is_about_its_plan() -> None:
    payload = OutcomeV1(
        observation="Observation/o",
        version=1,
        care_plan="CarePlan/c",
        patient="Patient/p",
        measure="peg",
        causes=("band-crossed",),
        measured=AT,
        occurred_at=AT,
    )
    told = of_outcome(event("outcome.review-due.v1", "Observation/o"), payload)
    assert (told.focus, told.patient) == ("CarePlan/c", "Patient/p")


def test_a_failed_message_is_about_its_communication() -> None:
    payload = NotificationV1(
        communication="Communication/c",
        recipient="Practitioner/a",
        channel="email",
        attempts=9,
        caused_by="e1",
        occurred_at=AT,
    )
    assert of_failure(event("notification.failed.v1", "Communication/c"), payload).focus == "Communication/c"
