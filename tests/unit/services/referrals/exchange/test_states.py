"""However two sides moved apart, they come to one state again, by legal steps or by a word that is marked as such."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from services.referrals.domain.exchange_states import Course, plan, same, sent_as, shortest, wish, withdrawal
from services.referrals.domain.states import ENTERED_IN_ERROR, TERMINAL, steps
from services.referrals.domain.transitions import OPENING, TRANSITIONS, Actor, Happened, State

STATES = sorted({state for row in TRANSITIONS for state in (row.source, row.target)}, key=str)
ALL = [*STATES, State(ENTERED_IN_ERROR), State(ENTERED_IN_ERROR, "3.0")]
any_state = st.sampled_from(ALL)


def state(text: str) -> State:
    return State(*text.split())


@pytest.mark.parametrize(
    ("agreed", "here", "there", "course", "way"),
    [
        ("requested", "requested", "requested", "settled", []),
        ("requested", "requested", "accepted", "followed", ["accepted"]),
        ("requested", "requested", "completed", "followed", ["accepted", "in-progress", "completed"]),
        ("received 2.0", "received 2.0", "completed 7.0", "followed", ["accepted 3.0", "completed 7.0"]),
        ("received 2.0", "received 2.0", "rejected 4.0", "followed", ["rejected 4.0"]),
        ("requested", "requested", "accepted 3.0", "followed", ["accepted 3.0"]),
        ("accepted", "in-progress", "in-progress", "settled", []),
        ("requested", "requested", "cancelled", "followed-for-both", ["cancelled"]),
        ("accepted 3.0", "accepted 3.0", "cancelled 6.0", "followed-for-both", ["in-progress 5.2", "cancelled 6.0"]),
        ("in-progress 5.2", "in-progress 5.2", "cancelled 6.0", "followed", ["cancelled 6.0"]),
        ("accepted", "cancelled", "completed", "word", ["completed"]),
        ("received 2.0", "in-progress 5.2", "rejected 4.0", "word", ["rejected 4.0"]),
        ("in-progress", "in-progress", "accepted", "word", ["accepted"]),
        ("requested", "accepted", "requested", "ahead", []),
        ("completed", "completed", "entered-in-error", "followed-for-both", ["entered-in-error"]),
    ],
)
def test_what_is_done_here_about_where_it_is_there(
    agreed: str, here: str, there: str, course: str, way: list[str]
) -> None:
    found = plan(state(agreed), state(here), state(there))
    assert (found.course.value, [str(each) for each in found.states]) == (course, way)


@pytest.mark.parametrize(
    ("agreed", "here", "there", "wanted"),
    [
        ("requested", "cancelled", "requested", "cancelled"),
        ("requested", "cancelled 6.0", "requested", "cancelled 6.0"),
        ("requested", "cancelled", "in-progress", "cancelled"),
        ("requested", "cancelled", "accepted 3.0", "in-progress 5.2"),
        ("received 2.0", "in-progress 5.2", "in-progress 5.1.1", "in-progress 5.2"),
        ("received 2.0", "in-progress 5.2", "in-progress 5.2", None),
        ("received 2.0", "in-progress 5.2", "completed 7.0", None),
        ("accepted", "accepted", "in-progress", None),
        ("requested", "accepted", "requested", None),
        ("completed", "entered-in-error", "completed", "entered-in-error"),
    ],
)
def test_what_the_initiator_wants_there(agreed: str, here: str, there: str, wanted: str | None) -> None:
    found = wish(state(agreed), state(here), state(there))
    assert found == (None if wanted is None else state(wanted))


@given(any_state, any_state, any_state)
def test_a_plan_ends_where_the_other_side_is_by_legal_steps_or_by_its_word(
    agreed: State, here: State, there: State
) -> None:
    found = plan(agreed, here, there)
    if found.course in (Course.SETTLED, Course.AHEAD):
        assert same(here, there) or agreed == there
        assert not found.states
        return
    assert same(found.states[-1], there)
    if found.course is Course.WORD:
        assert found.states == (there,)
        return
    actors = {Actor.RECIPIENT} if found.course is Course.FOLLOWED else set(Actor)
    for source, goal in zip((here, *found.states), found.states, strict=False):
        assert any(row.actor in actors for row in steps(source, goal))


@given(any_state, any_state, any_state)
def test_a_wish_is_a_step_of_the_initiator_from_where_it_is_there(agreed: State, here: State, there: State) -> None:
    wanted = wish(agreed, here, there)
    if wanted is not None:
        assert any(row.actor is Actor.INITIATOR for row in steps(there, wanted))


@given(st.data())
def test_both_sides_end_alike_whatever_each_of_them_did(data: st.DataObject) -> None:
    """The source asks, hears and follows, as a visit does; in between both move on as they like."""
    agreed = here = there = data.draw(st.sampled_from([each for each, told in OPENING.items() if told]))
    for _ in range(data.draw(st.integers(0, 6))):
        if data.draw(st.booleans()):
            here = data.draw(st.sampled_from([here, *_moves(here, Actor.INITIATOR)]))
        else:
            there = data.draw(st.sampled_from([there, *_moves(there, Actor.RECIPIENT)]))
        if data.draw(st.booleans()):
            agreed, here, there = _visited(agreed, here, there)
    agreed, here, there = _visited(agreed, here, there)
    assert same(here, there)
    assert _visited(agreed, here, there) == (agreed, here, there)


def _moves(source: State, actor: Actor) -> list[State]:
    rows = [row for row in TRANSITIONS if row.source == source and row.actor is actor]
    if actor is Actor.INITIATOR and source.status != ENTERED_IN_ERROR:
        rows += steps(source, State(ENTERED_IN_ERROR, source.business))
    withdrawing = {Happened.CANCELLED, Happened.CANCELLATION_REQUESTED, Happened.ENTERED_IN_ERROR}
    return [row.target for row in rows if actor is Actor.RECIPIENT or row.happened in withdrawing]


def _visited(agreed: State, here: State, there: State) -> tuple[State, State, State]:
    there = wish(agreed, here, there) or there
    found = plan(agreed, here, there)
    here = found.states[-1] if found.states else here
    return (there if same(here, there) else agreed), here, there


def test_every_referral_begins_over_there_where_a_person_may_begin_one() -> None:
    for each in STATES:
        assert OPENING[sent_as(each)] is Happened.REQUESTED


def test_what_has_ended_is_not_withdrawn_and_has_no_way_on() -> None:
    for each in STATES:
        if each.status in TERMINAL:
            assert withdrawal(each) is None
            assert all(shortest(each, other, tuple(Actor)) is None for other in STATES if other != each)
