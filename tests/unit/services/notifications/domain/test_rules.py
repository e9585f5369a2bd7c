"""The table of rules: who hears of what, in which words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.domain.happening import Happening
from services.notifications.domain.receivers import COORDINATORS, is_receiver
from services.notifications.domain.rules import RULES, messages
from shared.contracts.careplans import CarePlanEvent, DiagnosisEvent, OutcomeEvent, SafetyEvent
from shared.contracts.notifications import NotificationEvent
from shared.contracts.referrals import ReferralClockEvent, ReferralEvent, ReferralExchangeEvent

REQUESTER, OWNER, COLLEAGUE = "Practitioner/lind", "Organization/mind-centre", "Practitioner/moss"
PHYSIO = "discipline:physical-therapy"


def happening(type: str, **more: object) -> Happening:
    values: dict[str, object] = {
        "event_id": "e1",
        "focus": "Task/t1",
        "discipline": "physical-therapy",
        "requester": REQUESTER,
        "owner": OWNER,
        "team": (COLLEAGUE,),
    } | more
    return Happening(type=type, **values)  # type: ignore[arg-type]  # the table's values are of the fields' types


@pytest.mark.parametrize(
    ("type", "receivers"),
    [
        (ReferralEvent.REQUESTED, {OWNER}),
        (ReferralEvent.RECEIVED, {REQUESTER}),
        (ReferralEvent.ACCEPTED, {REQUESTER}),
        (ReferralEvent.DECLINED, {REQUESTER, COORDINATORS}),
        (ReferralEvent.SCHEDULED, {REQUESTER}),
        (ReferralEvent.RESCHEDULED, {REQUESTER}),
        (ReferralEvent.NO_SHOW, {REQUESTER, COORDINATORS}),
        (ReferralEvent.APPOINTMENT_CANCELLED, {REQUESTER}),
        (ReferralEvent.STARTED, {REQUESTER}),
        (ReferralEvent.INTERIM_NOTE, {REQUESTER}),
        (ReferralEvent.CANCELLATION_REQUESTED, {OWNER}),
        (ReferralEvent.CANCELLED, {REQUESTER, OWNER}),
        (ReferralEvent.COMPLETED, {REQUESTER}),
        (ReferralEvent.HELD, {REQUESTER}),
        (ReferralEvent.RESUMED, {REQUESTER}),
        (ReferralEvent.FAILED, {REQUESTER, COORDINATORS}),
        (ReferralEvent.RETURNED, {REQUESTER}),
        (ReferralEvent.ANSWERED, {OWNER}),
        (ReferralEvent.CLOSED, {OWNER}),
        (ReferralEvent.ENTERED_IN_ERROR, {REQUESTER, OWNER}),
        (ReferralEvent.UPDATED, set()),
        (ReferralClockEvent.REMINDER, set()),
        (ReferralClockEvent.ESCALATION, {COORDINATORS}),
        (ReferralClockEvent.REROUTE, {COORDINATORS}),
        (ReferralExchangeEvent.GIVEN_UP, {COORDINATORS}),
        (ReferralExchangeEvent.CONFLICT, {COORDINATORS}),
        (CarePlanEvent.CREATED, set()),
        (CarePlanEvent.UPDATED, set()),
        (CarePlanEvent.ACTIVITY_ADDED, {COLLEAGUE}),
        (CarePlanEvent.ACTIVITY_CHANGED, {COLLEAGUE}),
        (CarePlanEvent.TEAM_CHANGED, {COLLEAGUE}),
        (CarePlanEvent.DELETED, {COLLEAGUE}),
        (SafetyEvent.SELF_HARM_ITEM_POSITIVE, {COORDINATORS, COLLEAGUE}),
        (SafetyEvent.FINDING_OPENED, {COLLEAGUE}),
        (SafetyEvent.FINDING_ANSWERED, set()),
        (SafetyEvent.FINDING_RESOLVED, set()),
        (SafetyEvent.SELF_HARM_ITEM_ON_RECORD, {COORDINATORS, COLLEAGUE}),
        (OutcomeEvent.REVIEW_DUE, {COORDINATORS, COLLEAGUE}),
        (DiagnosisEvent.REVISIT_DUE, {COORDINATORS, COLLEAGUE}),
        (NotificationEvent.FAILED, {COORDINATORS}),
        (NotificationEvent.DELIVERED, set()),
    ],
)
def test_every_event_is_told_to_those_who_must_know(type: str, receivers: set[str]) -> None:
    assert {message.receiver for message in messages(happening(type))} == receivers


def test_a_referral_without_owner_is_told_to_the_discipline_and_the_coordinators() -> None:
    told = messages(happening(ReferralEvent.REQUESTED, owner=None))
    assert {message.receiver for message in told} == {PHYSIO, COORDINATORS}


def test_a_referral_without_owner_to_an_unknown_discipline_is_told_to_the_coordinators() -> None:
    told = messages(happening(ReferralEvent.REQUESTED, owner=None, discipline="astrology"))
    assert [message.receiver for message in told] == [COORDINATORS]


@pytest.mark.parametrize(
    ("awaited", "owner", "receivers"),
    [
        (OWNER, OWNER, {OWNER}),
        (REQUESTER, OWNER, {REQUESTER}),
        (REQUESTER, None, {REQUESTER}),
        (None, None, {PHYSIO, COORDINATORS}),
    ],
)
def test_whoever_is_waited_for_is_reminded(awaited: str | None, owner: str | None, receivers: set[str]) -> None:
    told = messages(happening(ReferralClockEvent.REMINDER, awaited=awaited, owner=owner, waits_for="acceptance"))
    assert {message.receiver for message in told} == receivers


def test_what_is_told_of_a_wait_names_it_and_says_when_it_is_late() -> None:
    [told] = messages(happening(ReferralClockEvent.ESCALATION, waits_for="report", late=True))
    assert told.text == "A referral to physical therapy has waited too long for the report. This message is late."


def test_one_who_is_requester_and_owner_is_told_once() -> None:
    told = messages(happening(ReferralEvent.CANCELLED, owner=REQUESTER))
    assert [message.receiver for message in told] == [REQUESTER]


@pytest.mark.parametrize("nobody", ["Task/t1", "Practitioner/", "practitioner", "discipline:astrology", ""])
def test_what_is_no_receiver_is_not_told(nobody: str) -> None:
    assert messages(happening(ReferralEvent.ACCEPTED, requester=nobody)) == ()


def test_an_accepted_referral_reads_as_a_sentence() -> None:
    (message,) = messages(happening(ReferralEvent.ACCEPTED))
    assert message.text == "A referral to physical therapy was accepted."


@given(discipline=st.text(max_size=40))
def test_no_text_repeats_what_the_event_carries(discipline: str) -> None:
    for rule in RULES:
        type_ = rule.event.replace("*", "added")
        canary = f"CANARY{discipline}"
        for message in messages(happening(type_, discipline=canary, patient="Patient/CANARY")):
            assert "CANARY" not in message.text
            assert "{" not in message.text


def test_every_rule_has_an_id_of_its_own_and_a_version() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert all(rule.version for rule in RULES)


def test_a_message_about_a_failed_message_is_never_mailed() -> None:
    assert all(rule.stream_only for rule in RULES if rule.event.startswith("notification."))


def test_an_answer_about_safety_of_these_days_is_urgent_and_nothing_else_is() -> None:
    assert all(rule.urgent is (rule.event == SafetyEvent.SELF_HARM_ITEM_POSITIVE) for rule in RULES)
    assert not any(rule.stream_only for rule in RULES if rule.urgent)


@pytest.mark.parametrize(
    ("receiver", "fits"),
    [
        ("Practitioner/x", True),
        ("https://ehr.example/fhir/Organization/y", True),
        ("CareTeam/a-b.c", True),
        ("Observation/x", False),
        ("Practitioner/x/_history/1", False),
        ("role:coordinator", True),
        ("role:clinician", False),
    ],
)
def test_receivers_are_references_that_a_communication_may_have_or_our_groups(receiver: str, fits: bool) -> None:
    assert is_receiver(receiver) is fits
