"""What a referral waits for in each state, and what it has reached by each change."""

from typing import Any

import pytest

from services.referrals.domain.events import happened_between
from services.referrals.domain.milestones import FURTHEST, TOLD, WAITS, Milestone, Wait, reached, wait_of
from services.referrals.domain.states import TERMINAL
from services.referrals.domain.transitions import HARMONIZED, OPENING, PLAIN, TRANSITIONS, Happened, State, Transition
from tests.factories.referrals import task

Resource = dict[str, Any]
STATES = sorted({state for row in TRANSITIONS for state in (row.source, row.target)}, key=str)
EXPECTED_WAITS: dict[Wait | None, str] = {
    Wait.ACKNOWLEDGEMENT: "requested, requested 2.0",
    Wait.ACCEPTANCE: "received, received 2.0",
    Wait.SCHEDULING: "accepted, accepted 3.0, ready, in-progress 5.1.2, in-progress 5.1.3",
    Wait.VISIT: "in-progress 5.1.1",
    Wait.REPORT: "in-progress, in-progress 5.1, in-progress 5.1.4",
    Wait.CANCELLATION: "in-progress 5.2",
    Wait.RESUMPTION: "on-hold, on-hold 5.1, on-hold 5.1.1, on-hold 5.1.2, on-hold 5.1.3, on-hold 5.1.4",
    Wait.CLOSING: "completed, completed 7.0",
    None: "draft, rejected, rejected 4.0, cancelled, cancelled 6.0, failed, failed 5.1, failed 5.1.1, failed 5.1.2, "
    "failed 5.1.3, failed 5.1.4",
}
SENT, ACKNOWLEDGED, ACCEPTED, SCHEDULED, SEEN, REPORTED, CLOSED = Milestone
VISIT = {"executionPeriod": {"start": "2026-03-20T09:00:00Z"}}


def written(state: State, **more: Any) -> Resource:
    return task(state.status, state.business, **more)


def passed(*states: str) -> list[frozenset[Milestone]]:
    """What each change of a run reaches, the first being the creation; a + is the visit in ``executionPeriod``."""
    told: list[frozenset[Milestone]] = []
    before = None
    for text in states:
        more = VISIT if text.endswith("+") else {}
        after = written(State(*text.removesuffix("+").split()), **more)
        told.append(reached(before, after, happened_between(before, after)))
        before = after
    return told


def some(*words: str) -> list[frozenset[Milestone]]:
    return [frozenset(map(Milestone, word.split())) for word in words]


@pytest.mark.parametrize("state", STATES, ids=str)
def test_every_state_waits_for_what_it_should(state: State) -> None:
    expected = [wait for wait, states in EXPECTED_WAITS.items() if str(state) in states.split(", ")]
    assert [wait_of(state)] == expected


def test_every_wait_is_of_some_state_and_every_entry_is_a_state() -> None:
    assert set(EXPECTED_WAITS) == {*Wait, None}
    assert set(WAITS.values()) == set(Wait)
    known = {str(state) for state in STATES} | {"on-hold 5.2"}  # which only a back end writes
    assert set(WAITS) | set(FURTHEST) <= known


def test_a_referral_that_has_not_ended_waits_for_somebody() -> None:
    for state in STATES:
        open_ = state.status not in TERMINAL | {"draft"} or state.status == "completed"
        assert (wait_of(state) is not None) == open_


def test_a_mistake_waits_for_nobody_whatever_business_status_it_kept() -> None:
    assert wait_of(State("entered-in-error")) is None
    assert wait_of(State("entered-in-error", "5.1.1")) is None


@pytest.mark.parametrize("business", ["5.1.1", "5.2", "7.0"])
def test_an_imported_combination_that_no_row_knows_waits_as_its_status_does(business: str) -> None:
    assert wait_of(State("received", business)) is Wait.ACCEPTANCE


@pytest.mark.parametrize("state", STATES, ids=str)
def test_every_state_but_a_draft_proves_something(state: State) -> None:
    told = reached(None, written(state), None)
    assert (SENT in told) == (state.status != "draft")
    assert CLOSED not in told


@pytest.mark.parametrize("state", STATES, ids=str)
def test_a_later_milestone_implies_the_earlier_ones_but_the_appointment(state: State) -> None:
    for more in ({}, VISIT):
        for happened in (None, *TOLD):
            told = reached(None, written(state, **more), happened)
            order = [each for each in Milestone if each is not SCHEDULED]
            assert [each for each in order if each in told] == order[: len(told - {SCHEDULED})]
            assert SCHEDULED not in told or ACCEPTED in told


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (
            # HARMONIZED: 01, 02, 06, 15, 30
            ("draft", "received 2.0", "accepted 3.0", "in-progress 5.1.1", "in-progress 5.1.4", "completed 7.0"),
            some("", "sent acknowledged", "accepted", "scheduled", "seen", "reported"),
        ),
        (
            # who misses two appointments and comes to the third: 06, 12, 18, 13, 21, 16
            (
                *("accepted 3.0", "in-progress 5.1.1", "in-progress 5.1.2", "in-progress 5.1.1", "in-progress 5.1.3"),
                *("in-progress 5.1.1", "completed 7.0"),
            ),
            some("sent acknowledged accepted", "scheduled", "", "", "", "", "seen reported"),
        ),
        (
            # a walk-in is never scheduled: 02, 08, 30
            ("received 2.0", "accepted 3.0", "in-progress 5.1.4", "completed 7.0"),
            some("sent acknowledged", "accepted", "seen", "reported"),
        ),
        (
            # 5.1 is the visit given, as long as no document comes with it: 31
            ("received 2.0", "accepted 3.0", "in-progress 5.1"),
            some("sent acknowledged", "accepted", "scheduled"),
        ),
        (
            # a cancellation that comes too late: 04, 24
            ("received 2.0", "in-progress 5.2", "completed 7.0"),
            some("sent acknowledged", "", "accepted seen reported"),
        ),
        (("draft", "received 2.0", "rejected 4.0"), some("", "sent acknowledged", "")),
        (("draft", "received 2.0", "in-progress 5.2", "cancelled 6.0"), some("", "sent acknowledged", "", "")),
        (
            # PLAIN: P01, P04, P08, P11, P16, P20, P17
            ("draft", "requested", "received", "accepted", "in-progress", "on-hold", "in-progress", "completed"),
            some("", "sent", "acknowledged", "accepted", "seen", "", "", "reported"),
        ),
        (("draft", "ready", "in-progress", "failed"), some("", "sent acknowledged accepted", "seen", "")),
        (("draft", "requested", "accepted"), some("", "sent", "acknowledged accepted")),
        (("draft", "requested", "rejected"), some("", "sent", "acknowledged")),
        (("draft", "requested", "cancelled"), some("", "sent", "")),
        (("draft", "cancelled"), some("", "")),
        (("draft", "entered-in-error"), some("", "")),
        (("draft", "requested", "entered-in-error"), some("", "sent", "")),
        # JOINING and PAUSED
        (
            ("draft", "requested 2.0", "received 2.0", "accepted 3.0", "in-progress 5.1.1", "on-hold 5.1.1"),
            some("", "sent", "acknowledged", "accepted", "scheduled", ""),
        ),
        (("on-hold 5.1.1", "in-progress 5.1.1"), some("sent acknowledged accepted scheduled", "")),
        # the visit told by executionPeriod
        (("in-progress 5.1.1", "in-progress 5.1.1+"), some("sent acknowledged accepted scheduled", "seen")),
        (("in-progress 5.1.1+", "completed 7.0+"), some("sent acknowledged accepted scheduled seen", "reported")),
        (("draft+", "requested+"), some("", "sent acknowledged accepted seen")),
        (("requested", "entered-in-error+"), some("sent", "")),
        # imported in the middle, or at the end
        (("completed",), some("sent acknowledged accepted seen reported")),
        (("cancelled",), some("sent")),
        (("failed",), some("sent acknowledged accepted")),
        (("in-progress 5.1.2",), some("sent acknowledged accepted scheduled")),
        (("entered-in-error",), some("")),
    ],
    ids=lambda value: " > ".join(value) if isinstance(value, tuple) else "",
)
def test_a_run_reaches_its_milestones(run: tuple[str, ...], expected: list[frozenset[Milestone]]) -> None:
    assert passed(*run) == expected


def test_a_note_is_a_visit_where_the_state_says_either() -> None:
    note = [{"type": {"text": "note"}, "valueReference": {"reference": "DocumentReference/d1"}}]
    before, after = written(State("accepted", "3.0")), written(State("in-progress", "5.1"), output=note)
    assert reached(before, after, happened_between(before, after)) == {SEEN}
    assert reached(before, after, Happened.SCHEDULED) == {SCHEDULED}


def test_what_a_cancellation_hides_is_told_again() -> None:
    assert passed("in-progress 5.1.4", "in-progress 5.2", "completed 7.0")[1:] == some("", "accepted seen reported")


@pytest.mark.parametrize("row", [*HARMONIZED, *PLAIN], ids=lambda row: row.tid)
def test_every_row_reaches_what_its_target_proves_and_its_source_does_not(row: Transition) -> None:
    before, after = (reached(None, written(state), None) for state in (row.source, row.target))
    told = reached(written(row.source), written(row.target), row.happened)
    if row.source.status == "draft" and row.target.status == "cancelled":
        assert not told
    else:
        assert after - before <= told
        assert not told & before


def test_whatever_people_may_open_is_sent_unless_it_is_a_draft() -> None:
    for state, happened in OPENING.items():
        told = reached(None, written(state), happened)
        assert (SENT in told) == (state.status != "draft")
        assert (ACKNOWLEDGED in told) == (state.status in ("received", "ready"))
