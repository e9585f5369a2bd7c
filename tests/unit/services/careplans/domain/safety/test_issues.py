"""Findings as DetectedIssues: what becomes of them when the rules speak again, as pure functions."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.careplans.domain.safety.answering import decide_by_people, decide_by_rules, facts, later
from services.careplans.domain.safety.evaluate import evaluate
from services.careplans.domain.safety.issues import (
    BY_PEOPLE,
    BY_RULES,
    State,
    drawn,
    issue_id,
    next_look,
    reconcile,
    rule_of,
    state_of,
    with_state,
)
from shared.errors import Conflict, Unprocessable
from shared.security.caller import Caller, Role
from tests.unit.services.careplans.domain.safety.cases.rows import LORAZEPAM, OXY5, OXY10, by, patient
from tests.unit.services.careplans.domain.safety.prescriptions import QID, TODAY, Body, prescribed, record
from tests.unit.services.careplans.domain.safety.test_merging import resources

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
CLINICIAN = Caller("c", Role.CLINICIAN, fhir_user="Practitioner/c")
PATIENT = "Patient/p"
(FINDING, *_) = evaluate(record(patient(), prescribed(OXY5), prescribed(LORAZEPAM, id="2")), TODAY).findings
ISSUE = drawn(FINDING, PATIENT, NOW)


def reached(stored: list[Body], *bodies: Body, now: datetime = NOW) -> list[Body]:
    """What is stored after the rules looked at ``bodies``."""
    evaluation = evaluate(record(patient(), *bodies), TODAY)
    saved = {each["id"]: each for each in reconcile(evaluation.findings, evaluation.unknown, stored, PATIENT, now)}
    return list(({each["id"]: each for each in stored} | saved).values())


@pytest.mark.parametrize(("before", "after"), list(product(State, State)))
def test_what_may_follow_is_in_the_tables(before: State, after: State) -> None:
    was = with_state(ISSUE, before, "before")
    until = later(NOW, 1) if after is State.SNOOZED else None
    is_ = with_state(ISSUE, after, "after", until)
    if after in BY_PEOPLE[before]:
        assert state_of(decide_by_people(was, is_, CLINICIAN, NOW)[0] or {}) is after
    else:
        with pytest.raises(Conflict):
            decide_by_people(was, is_, CLINICIAN, NOW)
    if after is before or after in BY_RULES[before]:
        decide_by_rules(was, is_)
    else:
        with pytest.raises(Conflict):
            decide_by_rules(was, is_)


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [("2026-01-31", 1, "2026-02-28"), ("2026-11-30", 3, "2027-02-28"), ("2026-12-15", 1, "2027-01-15")],
)
def test_a_snooze_ends_on_the_same_day_of_a_later_month(day: str, months: int, expected: str) -> None:
    assert later(datetime.fromisoformat(f"{day}T10:00:00+00:00"), months).date().isoformat() == expected


@pytest.mark.parametrize("until", [None, NOW, later(NOW, 2), later(NOW, 3) + timedelta(days=2)])
def test_no_other_snooze_is_taken(until: datetime | None) -> None:
    with pytest.raises(Unprocessable):
        decide_by_people(ISSUE, with_state(ISSUE, State.SNOOZED, "x", until), CLINICIAN, NOW)


def test_a_refresh_tells_nothing() -> None:
    assert facts(ISSUE, ISSUE | {"detail": "other"}) == ()
    assert [each.what for each in facts(None, ISSUE)] == ["opened"]


def test_the_next_look_is_when_the_first_snooze_ends() -> None:
    soon, late = (with_state(ISSUE, State.SNOOZED, "x", later(NOW, months)) for months in (1, 3))
    assert next_look([late, soon, ISSUE]) == later(NOW, 1)
    assert next_look([ISSUE]) is None


@pytest.mark.parametrize(("months", "expected"), [(0, State.SNOOZED), (1, State.OPEN), (2, State.OPEN)])
def test_a_snooze_that_ran_out_is_open_again(months: int, expected: State) -> None:
    bodies = (prescribed(OXY5), prescribed(LORAZEPAM, id="2"))
    snoozed = [with_state(each, State.SNOOZED, "x", later(NOW, 1)) for each in reached([], *bodies)]
    assert {state_of(each) for each in reached(snoozed, *bodies, now=later(NOW, months))} == {expected}


def test_missing_data_ends_no_finding() -> None:
    stored = reached([], prescribed(OXY10, QID))
    dose = [each for each in reached(stored, prescribed(OXY10, None)) if rule_of(each) == "opioid-dose-50"]
    assert [state_of(each) for each in dose] == [State.OPEN]
    gone = [each for each in reached(stored) if rule_of(each) == "opioid-dose-50"]
    assert [state_of(each) for each in gone] == [State.LAPSED]


def test_what_cannot_be_judged_of_one_class_ends_the_finding_of_another() -> None:
    two = [prescribed(OXY5, id="1", **by("a")), prescribed("morphine 15 mg tablet", id="2", **by("b"))]
    nsaids = [prescribed("ibuprofen 600 mg tablet", id="3"), prescribed("naproxen 500 mg tablet", id="4")]
    stored = reached([], *two)
    after = {each["id"]: state_of(each) for each in reached(stored, two[0], *nsaids)}
    (duplicate,) = [
        issue_id(PATIENT, each)
        for each in evaluate(record(patient(), *two), TODAY).findings
        if each.rule.id == "duplicate-class"
    ]
    assert after[duplicate] is State.LAPSED


@given(resources(), resources())
def test_looking_twice_changes_nothing_and_every_finding_has_its_issue(first: list[Body], second: list[Body]) -> None:
    stored = reached(reached([], *first), *second)
    assert reached(stored, *second) == stored
    evaluation = evaluate(record(patient(), *second), TODAY)
    open_ = {each["id"] for each in stored if state_of(each) is State.OPEN}
    wanted = {issue_id(PATIENT, each) for each in evaluation.findings}
    assert wanted <= open_
    undecided = {each.rule.id for each in evaluation.unknown}
    kept = [each for each in stored if each["id"] in open_ - wanted]
    assert {each["code"]["coding"][0]["code"] for each in kept} <= undecided


@given(resources(), st.sampled_from([State.ACKNOWLEDGED, State.RESOLVED]))
def test_an_answer_outlasts_a_look_at_the_same(bodies: list[Body], state: State) -> None:
    answered = [with_state(each, state, "x") for each in reached([], *bodies)]
    assert {state_of(each) for each in reached(answered, *bodies)} <= {state}
