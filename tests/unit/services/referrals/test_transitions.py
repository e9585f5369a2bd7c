"""The table is the published one, and nothing beside it is legal."""

import csv
import itertools
from pathlib import Path

import pytest

from services.referrals.domain.references import content
from services.referrals.domain.states import ENTERED_IN_ERROR, TERMINAL, state_of, steps
from services.referrals.domain.transitions import (
    HARMONIZED,
    IMPORTED,
    JOINING,
    OPENING,
    PAUSED,
    PLAIN,
    TRANSITIONS,
    Actor,
    Happened,
    State,
    Transition,
)
from shared.errors import Conflict, Forbidden, Unprocessable
from tests.factories.referrals import task
from tests.unit.services.referrals.deciding import BY_ACTOR, OTHER, decide_task, told

PUBLISHED = list(csv.DictReader((Path(__file__).parent / "harmonized-transitions.csv").open(encoding="utf-8")))
STATUSES = (
    *("draft", "requested", "received", "accepted", "rejected", "ready"),
    *("cancelled", "in-progress", "on-hold", "failed", "completed", "entered-in-error"),
)
STATES = sorted(
    {state for row in TRANSITIONS for state in (row.source, row.target)} | {State(s) for s in STATUSES}, key=str
)
LEGAL = {(row.actor, row.source, row.target) for row in TRANSITIONS}
LEGAL_PAIRS = {(row.source, row.target) for row in TRANSITIONS}


def written(state: State) -> dict[str, object]:
    return task(state.status, state.business)


def test_the_harmonized_rows_are_the_published_ones() -> None:
    ours = [
        {
            "tid": row.tid,
            "actor": row.actor.value,
            "trigger": row.trigger,
            "from_status": row.source.status,
            "from_business": row.source.business or "",
            "to_status": row.target.status,
            "to_business": row.target.business or "",
        }
        for row in HARMONIZED
    ]
    assert ours == PUBLISHED
    assert len(ours) == 34


def test_every_row_has_its_own_name() -> None:
    assert len({row.tid for row in TRANSITIONS}) == len(TRANSITIONS)


def test_plain_rows_leave_no_r4_status_out_and_carry_no_business_status() -> None:
    reached = {state.status for row in PLAIN for state in (row.source, row.target)}
    assert reached | {ENTERED_IN_ERROR} == set(STATUSES)
    assert all(state.business is None for row in PLAIN for state in (row.source, row.target))


def test_no_row_leaves_a_terminal_state() -> None:
    assert not [row for row in TRANSITIONS if row.source.status in TERMINAL]


def test_joining_and_paused_rows_end_in_states_that_the_harmonized_loop_knows() -> None:
    known = {state for row in HARMONIZED for state in (row.source, row.target)}
    paused = {state for row in PAUSED for state in (row.source, row.target)} - known
    assert {state.status for state in paused} == {"on-hold", "failed"}
    outside = {row.target for row in JOINING} - known
    assert outside == {State("requested", "2.0")}


@pytest.mark.parametrize("row", HARMONIZED, ids=lambda row: row.tid)
def test_a_harmonized_transition_is_legal_by_its_actor(row: Transition) -> None:
    before, after = written(row.source), written(row.target)
    if row.source == row.target:
        after["output"] = [{"type": {"text": "visit"}, "valueReference": {"reference": "Appointment/a2"}}]
    decision = decide_task(before, after, BY_ACTOR[row.actor])
    assert decision.resource is not None
    assert content(decision.resource) == content(after)
    expected = Happened.SCHEDULED if row.tid == "32" else row.happened
    assert told(decision) == [expected.value]


@pytest.mark.parametrize("row", HARMONIZED, ids=lambda row: row.tid)
def test_a_harmonized_transition_is_forbidden_to_the_other_side(row: Transition) -> None:
    before, after = written(row.source), written(row.target)
    if row.source == row.target:
        after["output"] = [{"type": {"text": "visit"}, "valueReference": {"reference": "Appointment/a2"}}]
    with pytest.raises(Forbidden):
        decide_task(before, after, OTHER[row.actor])


@pytest.mark.parametrize("source", STATES, ids=str)
def test_over_the_whole_cross_product_only_rows_and_corrections_are_legal(source: State) -> None:
    for target, actor in itertools.product(STATES, Actor):
        if source == target:
            continue
        before, after = written(source), written(target)
        corrects = target.status == ENTERED_IN_ERROR != source.status and target.business in (None, source.business)
        if (actor, source, target) in LEGAL or (corrects and actor is Actor.INITIATOR):
            facts = told(decide_task(before, after, BY_ACTOR[actor]))
            assert len(facts) == 1, f"{source} -> {target} tells {facts}"
        else:
            refusal = Forbidden if (source, target) in LEGAL_PAIRS or corrects else Conflict
            with pytest.raises(refusal):
                decide_task(before, after, BY_ACTOR[actor])


def test_the_cross_product_covers_what_it_should() -> None:
    assert len(STATES) > 30
    assert sum(len(steps(source, target)) for source, target in LEGAL_PAIRS) == len(TRANSITIONS)


def test_a_business_status_of_another_system_does_not_count() -> None:
    assert state_of(task(businessStatus={"text": "waiting for patient"})) == State("requested")
    foreign = {"coding": [{"system": "urn:oid:1.2.3", "code": "5.1.1"}]}
    assert state_of(task(businessStatus=foreign)) == State("requested")


def test_a_code_that_bser_does_not_have_is_refused() -> None:
    with pytest.raises(Unprocessable) as refused:
        state_of(task(bser="9.9"))
    assert refused.value.issues[0].expression == ("Task.businessStatus",)


def test_two_rows_of_one_pair_never_differ_in_their_actor() -> None:
    for source, target in LEGAL_PAIRS:
        assert len({row.actor for row in steps(source, target)}) == 1


def test_whatever_state_a_task_is_imported_in_has_something_to_tell() -> None:
    assert {state.status for state in STATES} - set(IMPORTED) == {"draft", ENTERED_IN_ERROR}
    assert set(OPENING) <= set(STATES)
