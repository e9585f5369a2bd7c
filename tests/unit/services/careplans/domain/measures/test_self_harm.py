"""When an answer about self-harm becomes a fact: always once, never lost, never with the answer."""

from dataclasses import asdict
from typing import Any

import pytest

from services.careplans.domain.measures.self_harm import SelfHarmItemPositive, self_harm_facts
from services.careplans.events.outgoing import outgoing
from shared.clock import instant
from shared.contracts.careplans import SafetyEvent, SafetyV1
from shared.fhir.json import Resource
from shared.security.caller import Caller, Role
from shared.store.resources import Stored
from tests.unit.services.careplans.domain.measures.answering import NOON, PATIENT, coded, integer, ours, response

CODE = {"coding": [{"system": "http://loinc.org", "code": "44260-8"}]}
AUTHORED = "2025-03-04T10:00:00Z"


def phq9(item_9: Any, **more: Any) -> Resource:
    return ours("phq-9", [0] * 8 + [item_9], **more)


def observation(value: Resource, **more: Any) -> Resource:
    return {"resourceType": "Observation", "status": "final", "code": CODE, "subject": PATIENT} | value | more


@pytest.mark.parametrize(
    ("answer", "certain"),
    [
        (None, None),
        (0, None),
        (1, True),
        (3, True),
        (coded("LA6568-5"), None),
        (coded("LA6569-3"), True),
        ({"valueString": "Not at all"}, None),
        ({"valueString": "often"}, False),
        (4, False),
        ({"valueCoding": {"system": "urn:mine", "code": "0"}}, False),
    ],
)
def test_any_answer_but_none_at_all_is_a_fact(answer: Any, certain: bool | None) -> None:
    expected = () if certain is None else (SelfHarmItemPositive("Patient/p", certain, AUTHORED),)
    assert self_harm_facts(None, phq9(answer), NOON) == expected


@pytest.mark.parametrize("status", ["in-progress", "completed", "amended", "stopped"])
def test_the_answer_counts_whether_or_not_the_form_is_finished(status: str) -> None:
    assert self_harm_facts(None, phq9(1, status=status), NOON)


def test_a_mistake_is_no_fact() -> None:
    assert self_harm_facts(None, phq9(1, status="entered-in-error"), NOON) == ()
    assert self_harm_facts(phq9(1), None, NOON) == ()


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (0, 1, True),
        (None, 1, True),
        (1, 2, False),
        (2, 2, False),
        (1, 0, False),
        (9, 1, True),
        (1, 9, False),
        (9, 9, False),
    ],
)
def test_it_is_told_when_it_becomes_positive_or_certain(before: int | None, after: int, told: bool) -> None:
    assert bool(self_harm_facts(phq9(before), phq9(after), NOON)) is told


def test_an_answer_that_was_a_mistake_and_is_given_again_is_told_again() -> None:
    assert self_harm_facts(phq9(1, status="entered-in-error"), phq9(1), NOON)


def test_the_item_counts_outside_a_phq_9() -> None:
    assert self_harm_facts(None, response({"/44260-8": integer(1)}), NOON)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"valueCodeableConcept": {"coding": [{"system": "http://loinc.org", "code": "LA6568-5"}]}}, False),
        ({"valueCodeableConcept": {"coding": [{"system": "http://loinc.org", "code": "LA6571-9"}]}}, True),
        ({"valueCodeableConcept": {"text": "Several days"}}, True),
        ({"valueCodeableConcept": {"text": "not at all"}}, False),
        ({"valueInteger": 0}, False),
        ({"valueInteger": 2}, True),
        ({"valueQuantity": {"value": 2}}, True),
        ({"valueString": "?"}, True),
        ({"dataAbsentReason": {"text": "asked"}}, False),
        ({"code": {"text": "panel"}, "component": [{"code": CODE, "valueInteger": 1}]}, True),
        ({"code": {"text": "panel"}, "component": [{"code": CODE, "valueInteger": 0}]}, False),
        ({"code": {"text": "panel"}, "component": [{"code": CODE, "valueInteger": n} for n in (0, 1)]}, True),
    ],
)
def test_an_observation_of_the_item_counts(value: Resource, told: bool) -> None:
    assert bool(self_harm_facts(None, observation(value), NOON)) is told
    assert self_harm_facts(None, observation(value, status="cancelled"), NOON) == ()


@pytest.mark.parametrize(
    ("subject", "patient"),
    [
        ({"reference": "Patient/p/_history/2"}, "Patient/p"),
        ({"reference": "#p"}, None),
        ({"reference": "https://ehr.example/Patient/p"}, None),
        ({"reference": "Device/d"}, None),
        ({"identifier": {"value": "1"}}, None),
        (None, None),
    ],
)
def test_the_patient_is_named_where_it_is_one_of_ours(subject: Any, patient: str | None) -> None:
    answers = phq9(1)
    answers["subject"] = subject
    [fact] = self_harm_facts(None, answers, NOON)
    assert fact.patient == patient


@pytest.mark.parametrize(("answer", "certain"), [(3, True), (9, False)])
def test_the_event_is_thin(answer: int, certain: bool) -> None:
    [fact] = self_harm_facts(None, phq9(answer), NOON)
    assert set(asdict(fact)) == {"patient", "certain", "measured", "history"}
    stored = Stored("QuestionnaireResponse", "r", 2, NOON, False, b"{}")
    [(type_, subject, payload)] = outgoing(fact, stored, Caller("p", Role.PATIENT))
    assert (type_, subject) == ("safety.self-harm-item-positive.v1", "QuestionnaireResponse/r")
    assert payload == SafetyV1(
        resource="QuestionnaireResponse/r",
        version=2,
        patient="Patient/p",
        code="44260-8",
        certain=certain,
        measured=AUTHORED,
        occurred_at=instant(NOON),
    )


@pytest.mark.parametrize(
    ("authored", "event"),
    [
        ("2025-03-04", SafetyEvent.SELF_HARM_ITEM_POSITIVE),
        ("2025-02-02T12:00:00Z", SafetyEvent.SELF_HARM_ITEM_POSITIVE),
        ("2025-02-02T11:59:59Z", SafetyEvent.SELF_HARM_ITEM_ON_RECORD),
        ("2019", SafetyEvent.SELF_HARM_ITEM_ON_RECORD),
    ],
)
def test_an_answer_of_years_ago_is_told_as_what_is_on_record(authored: str, event: SafetyEvent) -> None:
    [fact] = self_harm_facts(None, phq9(2, authored=authored), NOON)
    stored = Stored("QuestionnaireResponse", "r", 1, NOON, False, b"{}")
    [(type_, _, payload)] = outgoing(fact, stored, Caller("ehr", Role.SYSTEM))
    assert type_ == event
    assert isinstance(payload, SafetyV1)
    assert payload.measured == authored


@pytest.mark.parametrize(
    ("when", "measured"),
    [
        ({"effectiveDateTime": "2024-01-01", "issued": "2025-03-04T10:00:00Z"}, "2024-01-01"),
        ({"effectivePeriod": {"start": "2024-01-01", "end": "2024-02-01"}}, "2024-02-01"),
        ({"issued": "2024-01-01T00:00:00Z"}, "2024-01-01T00:00:00Z"),
        ({}, None),
    ],
)
def test_an_observation_says_when_it_was_answered(when: Resource, measured: str | None) -> None:
    [fact] = self_harm_facts(None, observation({"valueInteger": 1}, **when), NOON)
    assert (fact.measured, fact.history) == (measured, measured is not None)
