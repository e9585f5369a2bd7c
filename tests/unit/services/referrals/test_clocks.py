"""A clock tells each stage once, in order, never too early, and a change of the Task does to it what it should."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import given

from services.referrals.domain.clocks import (
    LATE,
    SHARES,
    Addressee,
    Clock,
    Fired,
    Stage,
    Terms,
    addressee,
    carried_on,
    fire,
    stages_of,
    start,
)
from services.referrals.domain.milestones import Wait, wait_of
from services.referrals.domain.targets import Priority
from services.referrals.domain.transitions import TRANSITIONS, Happened, State, Transition
from shared.security.caller import Discipline
from tests.unit.services.referrals.places import BERLIN, berlin, calendars, moments

REMINDER, ESCALATION, REROUTE = Stage
ROUTINE, STAT = Terms(None, None, BERLIN), Terms(None, "stat", BERLIN)
URGENT = Terms(None, "urgent", BERLIN)
MONDAY = berlin("2026-03-02T10:00")
STATES = sorted({state for row in TRANSITIONS for state in (row.source, row.target)}, key=str)
VISIT_GIVEN, ACCEPTED = State("in-progress", "5.1.1"), State("accepted", "3.0")
waits = st.sampled_from(Wait)
terms_of = st.builds(Terms, st.none() | st.sampled_from(Discipline), st.none() | st.sampled_from(Priority), calendars)
delays = st.timedeltas(timedelta(0), timedelta(days=120))


def run(clock: Clock, ticks: Iterable[datetime], terms: Terms) -> tuple[list[Fired], Clock]:
    """What a clock tells when it is looked at so often."""
    told: list[Fired] = []
    for now in ticks:
        if (done := fire(clock, now, terms)) is not None:
            fired, clock = done
            told.append(fired)
    return told, clock


def dealt_with(told: Iterable[Fired]) -> list[Stage]:
    return [stage for fired in told for stage in (*fired.passed_over, fired.stage)]


def planned(clock: Clock, terms: Terms) -> list[datetime]:
    """When each stage is planned, found by being there at that very moment."""
    moments_: list[datetime] = []
    while clock.next_at is not None:
        moments_.append(clock.next_at)
        _, clock = run(clock, [clock.next_at], terms)
    return moments_


@pytest.mark.parametrize(
    ("wait", "terms", "due", "stages"),
    [
        (
            # two business days; half a day on business days only
            *(Wait.ACKNOWLEDGEMENT, ROUTINE, "2026-03-04T10:00"),
            ["2026-03-03T22:00", "2026-03-04T10:00", "2026-03-05T10:00"],
        ),
        (Wait.CLOSING, ROUTINE, "2026-03-16T10:00", ["2026-03-11T22:00", "2026-03-16T10:00"]),
        (Wait.VISIT, STAT, "2026-03-02T14:00", ["2026-03-02T13:00", "2026-03-02T14:00", "2026-03-02T16:00"]),
    ],
)
def test_the_stages_are_planned_at_their_shares_of_the_target(
    wait: Wait, terms: Terms, due: str, stages: list[str]
) -> None:
    clock = start(wait, MONDAY, terms)
    assert (clock.wait, clock.since, clock.due_at, clock.stage) == (wait, MONDAY, berlin(due), REMINDER)
    assert planned(clock, terms) == list(map(berlin, stages))


def test_only_who_has_not_been_seen_is_offered_to_somebody_else() -> None:
    offered = {wait for wait in Wait if REROUTE in stages_of(wait)}
    assert offered == {Wait.ACKNOWLEDGEMENT, Wait.ACCEPTANCE, Wait.SCHEDULING, Wait.VISIT}
    assert all(stages_of(wait)[:2] == (REMINDER, ESCALATION) for wait in Wait)
    assert list(SHARES) == list(Stage)
    assert sorted(SHARES.values()) == list(SHARES.values())


@pytest.mark.parametrize("wait", Wait)
def test_the_one_who_is_waited_for_is_reminded_and_a_coordinator_hears_the_rest(wait: Wait) -> None:
    turn = Addressee.INITIATOR if wait is Wait.CLOSING else Addressee.RECIPIENT
    assert addressee(REMINDER, wait) is turn
    assert addressee(ESCALATION, wait) is Addressee.COORDINATOR
    assert addressee(REROUTE, wait) is Addressee.COORDINATOR


def test_a_clock_that_is_looked_at_in_time_tells_all_its_stages() -> None:
    clock = start(Wait.VISIT, MONDAY, STAT)
    told, after = run(clock, (MONDAY + timedelta(minutes=each) for each in range(500)), STAT)
    assert [each.stage for each in told] == [REMINDER, ESCALATION, REROUTE]
    assert all(each.due_at == clock.due_at and not each.passed_over and not each.late for each in told)
    assert (after.stage, after.next_at, after.due_at) == (None, None, clock.due_at)
    assert fire(after, MONDAY + timedelta(days=900), STAT) is None


def test_after_an_outage_only_the_latest_stage_is_told_and_names_the_others() -> None:
    clock = start(Wait.VISIT, MONDAY, STAT)
    back = berlin("2026-03-02T15:00")
    assert fire(clock, back, STAT) == (
        Fired(ESCALATION, clock.due_at, clock.due_at, timedelta(hours=1), (REMINDER,)),
        Clock(Wait.VISIT, MONDAY, clock.due_at, REROUTE, berlin("2026-03-02T16:00")),
    )
    (all_at_once,), after = run(clock, [berlin("2026-03-03T00:00")], STAT)
    assert (all_at_once.stage, all_at_once.passed_over) == (REROUTE, (REMINDER, ESCALATION))
    assert after.stage is None


@pytest.mark.parametrize(
    ("seconds", "late"), [(0, False), (299, False), (300, False), (301, True), (60 * 59, True), (60 * 61, False)]
)
def test_what_is_told_more_than_five_minutes_after_its_plan_is_late(seconds: int, late: bool) -> None:
    assert timedelta(minutes=5) == LATE
    clock = start(Wait.VISIT, MONDAY, STAT)
    (fired,), _ = run(clock, [berlin("2026-03-02T13:00") + timedelta(seconds=seconds)], STAT)
    # an hour after the reminder comes the escalation, which then is in time again
    assert fired.late is late


@given(waits, moments, terms_of, st.lists(delays, max_size=12))
def test_every_stage_is_told_or_passed_over_once_and_in_order(
    wait: Wait, at: datetime, terms: Terms, ticks: list[timedelta]
) -> None:
    # in whatever order: somebody whose clock is behind looks, too
    told, clock = run(start(wait, at, terms), [at + tick for tick in ticks], terms)
    stages = stages_of(wait)
    done = len(dealt_with(told))
    assert dealt_with(told) == list(stages[:done])
    assert clock.stage == (stages[done] if done < len(stages) else None)
    last, _ = run(clock, [at + timedelta(days=1000)], terms)
    assert dealt_with([*told, *last]) == list(stages)


@given(waits, moments, terms_of, st.lists(delays, max_size=12))
def test_no_stage_is_told_before_its_plan(wait: Wait, at: datetime, terms: Terms, ticks: list[timedelta]) -> None:
    clock = start(wait, at, terms)
    plan = dict(zip(stages_of(wait), planned(clock, terms), strict=True))
    assert sorted(plan.values()) == list(plan.values())
    assert plan[ESCALATION] == clock.due_at
    for tick in ticks:
        now = at + tick
        told, clock = run(clock, [now], terms)
        for fired in told:
            assert fired.planned_at == plan[fired.stage] <= now
            assert fired.late_by == now - fired.planned_at
            assert all(plan[stage] <= fired.planned_at for stage in fired.passed_over)
        assert clock.next_at is None or clock.next_at > now or not told


@given(waits, moments, terms_of, st.lists(delays, max_size=8), st.lists(delays, max_size=8), delays)
def test_looking_more_often_reaches_the_same_stages(
    wait: Wait, at: datetime, terms: Terms, some: list[timedelta], more: list[timedelta], until: timedelta
) -> None:
    def by_then(ticks: list[timedelta]) -> list[Stage]:
        told, _ = run(start(wait, at, terms), (at + tick for tick in sorted((*ticks, until)) if tick <= until), terms)
        return dealt_with(told)

    assert by_then(some) == by_then(some + more) == by_then([])


LATER = MONDAY + timedelta(hours=3)


def carry(clock: Clock | None, before: State, goal: State, happened: Happened | None) -> Clock | None:
    return carried_on(clock, before, goal, happened, LATER, ROUTINE)


def running(state: State) -> Clock | None:
    return carried_on(None, None, state, None, MONDAY, ROUTINE)


@pytest.mark.parametrize("state", STATES, ids=str)
def test_a_referral_that_comes_to_be_in_a_state_has_the_clock_of_its_wait(state: State) -> None:
    wait = wait_of(state)
    assert running(state) == (None if wait is None else start(wait, MONDAY, ROUTINE))


@pytest.mark.parametrize("row", TRANSITIONS, ids=lambda row: row.tid)
def test_a_transition_starts_a_new_clock_for_another_wait_or_another_appointment(row: Transition) -> None:
    clock, wait = running(row.source), wait_of(row.target)
    if wait is None:
        expected = None
    elif wait == wait_of(row.source) and row.happened is not Happened.RESCHEDULED:
        expected = clock
    else:
        expected = start(wait, LATER, ROUTINE)
    assert carry(clock, row.source, row.target, row.happened) == expected


@pytest.mark.parametrize("state", STATES, ids=str)
@pytest.mark.parametrize("happened", [None, Happened.UPDATED])
def test_new_content_does_not_reset_a_clock(state: State, happened: Happened | None) -> None:
    clock = running(state)
    assert carry(clock, state, state, happened) == clock


def test_another_appointment_is_another_wait_and_another_note_is_not() -> None:
    visit, noted = running(VISIT_GIVEN), State("in-progress", "5.1.4")
    assert carry(visit, VISIT_GIVEN, VISIT_GIVEN, Happened.RESCHEDULED) == start(Wait.VISIT, LATER, ROUTINE)
    assert carry(running(noted), noted, noted, Happened.INTERIM_NOTE) == running(noted)


def test_who_misses_an_appointment_that_is_then_called_off_waits_on_for_another() -> None:
    missed, off = State("in-progress", "5.1.2"), State("in-progress", "5.1.3")
    assert carry(running(missed), missed, off, Happened.APPOINTMENT_CANCELLED) == running(missed)


def test_a_correction_ends_the_clock() -> None:
    assert carry(running(ACCEPTED), ACCEPTED, State("entered-in-error", "3.0"), Happened.ENTERED_IN_ERROR) is None


def test_an_acknowledged_report_is_not_waited_for_again() -> None:
    done = State("completed", "7.0")
    assert carry(None, done, done, Happened.UPDATED) is None


def test_a_clock_of_another_wait_than_the_table_has_now_starts_anew() -> None:
    stale = start(Wait.REPORT, MONDAY, ROUTINE)
    assert carry(stale, ACCEPTED, ACCEPTED, Happened.UPDATED) == start(Wait.SCHEDULING, LATER, ROUTINE)


def test_what_was_told_stays_told_when_the_task_changes() -> None:
    clock = start(Wait.SCHEDULING, MONDAY, ROUTINE)
    for now in (berlin("2026-03-13T00:00"), berlin("2026-03-17T00:00"), berlin("2026-05-01T00:00")):
        _, clock = run(clock, [now], ROUTINE)
        assert carried_on(clock, ACCEPTED, ACCEPTED, Happened.UPDATED, now, ROUTINE) == clock
    assert clock.stage is None
    again = carried_on(clock, ACCEPTED, ACCEPTED, Happened.UPDATED, berlin("2026-05-02T00:00"), URGENT)
    assert again is not None
    assert again.stage is again.next_at is None


def test_who_makes_a_referral_urgent_shortens_the_wait_that_runs() -> None:
    clock = start(Wait.SCHEDULING, MONDAY, ROUTINE)
    urgent = carried_on(clock, ACCEPTED, ACCEPTED, Happened.UPDATED, LATER, URGENT)
    assert urgent == start(Wait.SCHEDULING, MONDAY, URGENT)
    assert carried_on(urgent, ACCEPTED, ACCEPTED, Happened.UPDATED, LATER, ROUTINE) == clock


def test_nobody_is_late_because_a_referral_became_urgent_too_late() -> None:
    clock = start(Wait.SCHEDULING, MONDAY, ROUTINE)
    friday = berlin("2026-03-06T10:00")
    urgent = carried_on(clock, ACCEPTED, ACCEPTED, Happened.UPDATED, friday, URGENT)
    assert urgent == Clock(Wait.SCHEDULING, MONDAY, berlin("2026-03-05T10:00"), REMINDER, friday)
    (fired,), after = run(urgent, [friday + timedelta(minutes=1)], URGENT)
    assert (fired.stage, fired.passed_over, fired.late_by) == (ESCALATION, (REMINDER,), timedelta(minutes=1))
    assert (after.stage, after.next_at) == (REROUTE, berlin("2026-03-06T22:00"))


def test_a_change_does_not_hide_that_a_stage_is_late() -> None:
    clock = start(Wait.VISIT, MONDAY, STAT)
    after_the_plan = berlin("2026-03-02T13:30")
    assert carried_on(clock, VISIT_GIVEN, VISIT_GIVEN, Happened.UPDATED, after_the_plan, STAT) == clock


@given(waits, moments, terms_of, terms_of, st.lists(delays, max_size=6), delays)
def test_whatever_becomes_of_the_terms_every_stage_is_told_or_passed_over_once_and_never_too_early(
    wait: Wait, at: datetime, terms: Terms, others: Terms, ticks: list[timedelta], changed: timedelta
) -> None:
    state = next(state for state in STATES if wait_of(state) is wait)
    told, clock = run(start(wait, at, terms), (at + tick for tick in sorted(ticks) if tick < changed), terms)
    then = carried_on(clock, state, state, Happened.UPDATED, at + changed, others)
    assert then is not None
    assert (then.since, then.stage) == (clock.since, clock.stage)
    rest, _ = run(then, [*(at + tick for tick in sorted(ticks) if tick >= changed), at + timedelta(days=1000)], others)
    assert dealt_with([*told, *rest]) == list(stages_of(wait))
    assert all(fired.late_by >= timedelta(0) for fired in (*told, *rest))
