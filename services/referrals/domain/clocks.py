"""The clock of a referral: it runs while somebody is waited for, and tells when that takes too long.

Its stages are data: when each fires, as a share of the target time, and who is told.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from services.referrals.domain.calendar import Calendar, after, share
from services.referrals.domain.milestones import Wait, wait_of
from services.referrals.domain.targets import target
from services.referrals.domain.transitions import Happened, State

LATE = timedelta(minutes=5)
"""Whoever tells a stage later than that after its plan owes an explanation."""


class Stage(StrEnum):
    """What is told, in this order."""

    REMINDER = "reminder"
    ESCALATION = "escalation"
    REROUTE = "reroute"
    """The offer to ask somebody else."""


class Addressee(StrEnum):
    """Who is told: Task.owner is the recipient, Task.requester the initiator."""

    RECIPIENT = "recipient"
    INITIATOR = "initiator"
    COORDINATOR = "coordinator"


SHARES: dict[Stage, float] = {Stage.REMINDER: 0.75, Stage.ESCALATION: 1.0, Stage.REROUTE: 1.5}
"""When, as a share of the target time."""

REROUTED = frozenset({Wait.ACKNOWLEDGEMENT, Wait.ACCEPTANCE, Wait.SCHEDULING, Wait.VISIT})
"""Waits before the patient was seen: somebody else can still be asked."""

WAITS_ON: dict[Wait, Addressee] = dict.fromkeys(Wait, Addressee.RECIPIENT) | {Wait.CLOSING: Addressee.INITIATOR}
"""Whose turn it is."""

TOLD: dict[Stage, Addressee | None] = {
    Stage.REMINDER: None,
    Stage.ESCALATION: Addressee.COORDINATOR,
    # who hears of it also where the escalation was passed over, and may change the owner
    Stage.REROUTE: Addressee.COORDINATOR,
}
"""Who is told; None is the one who is waited for."""

RESTARTING = frozenset({Happened.RESCHEDULED})
"""What begins the same wait anew: another appointment is another wait for the visit."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the length of a wait depends on."""

    discipline: str | None
    priority: str | None
    calendar: Calendar


@dataclass(frozen=True, slots=True)
class Clock:
    """One wait of one referral. ``stage`` fires next, at ``next_at``; both are None when all have."""

    wait: Wait
    since: datetime
    due_at: datetime
    stage: Stage | None
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class Fired:
    """A stage that is told now. Those before it that were due as well are passed over: one message, the latest."""

    stage: Stage
    due_at: datetime
    planned_at: datetime
    late_by: timedelta
    passed_over: tuple[Stage, ...] = ()

    @property
    def late(self) -> bool:
        """Whether it was told too late after its plan: the system was down, or is behind."""
        return self.late_by > LATE


def stages_of(wait: Wait) -> tuple[Stage, ...]:
    """The stages of a wait, in order."""
    return tuple(stage for stage in Stage if stage is not Stage.REROUTE or wait in REROUTED)


def addressee(stage: Stage, wait: Wait, *, returned: bool = False) -> Addressee:
    """Who is told of ``stage``; ``returned``: a question of the recipient waits for the initiator's answer."""
    return TOLD[stage] or (Addressee.INITIATOR if returned else WAITS_ON[wait])


def start(wait: Wait, at: datetime, terms: Terms) -> Clock:
    """The clock of a wait that begins at ``at``."""
    stage = stages_of(wait)[0]
    clock = Clock(wait, at, _due_at(wait, at, terms), stage, None)
    return replace(clock, next_at=_at(clock, stage, terms))


def carried_on(
    clock: Clock | None, before: State | None, goal: State, happened: Happened | None, at: datetime, terms: Terms
) -> Clock | None:
    """The clock after a change at ``at`` of a Task from ``before`` to ``goal``.

    The same wait runs on since it began, under the terms as they are now: who makes a referral urgent shortens it, and
    what was told stays told. Another wait, and another appointment, start a new clock. A wait without a clock has been
    ended by something other than the Task (the report was acknowledged), and stays without one."""
    wait = wait_of(goal)
    if wait is None:
        return None
    running = clock.wait if clock is not None else before and wait_of(before)
    if wait != running or happened in RESTARTING:
        return start(wait, at, terms)
    return clock and _under(clock, at, terms)


def fire(clock: Clock, now: datetime, terms: Terms) -> tuple[Fired, Clock] | None:
    """The latest stage that is due at ``now``, and the clock after it; None before the next one is."""
    if clock.stage is None or clock.next_at is None or now < clock.next_at:
        return None
    stages = stages_of(clock.wait)
    later = stages[stages.index(clock.stage) + 1 :]
    # what was planned stays, and nothing is planned before it, whatever the terms have become
    plan = [(clock.stage, clock.next_at), *((stage, max(clock.next_at, _at(clock, stage, terms))) for stage in later)]
    due = [each for each in plan if each[1] <= now]
    *passed_over, (stage, planned_at) = due
    next_stage, next_at = plan[len(due)] if len(due) < len(plan) else (None, None)
    fired = Fired(stage, clock.due_at, planned_at, now - planned_at, tuple(stage for stage, _ in passed_over))
    return fired, replace(clock, stage=next_stage, next_at=next_at)


def _under(clock: Clock, at: datetime, terms: Terms) -> Clock:
    """The clock under the terms as they are at ``at``: its plan does not move into the past because they changed."""
    due_at = _due_at(clock.wait, clock.since, terms)
    if clock.stage is None or clock.next_at is None:
        return replace(clock, due_at=due_at)
    next_at = max(_at(clock, clock.stage, terms), min(clock.next_at, at))
    return replace(clock, due_at=due_at, next_at=next_at)


def _due_at(wait: Wait, since: datetime, terms: Terms) -> datetime:
    return after(since, target(terms.discipline, terms.priority, wait), terms.calendar)


def _at(clock: Clock, stage: Stage, terms: Terms) -> datetime:
    length = target(terms.discipline, terms.priority, clock.wait)
    return share(clock.since, length, SHARES[stage], terms.calendar)
