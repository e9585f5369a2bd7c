"""How a referral stands: its present state, and when it came to each milestone. Folded from the changes of its Task."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from services.referrals.domain.broadcast import offered
from services.referrals.domain.calendar import Calendar
from services.referrals.domain.clocks import Clock, Fired, Stage, Terms, carried_on
from services.referrals.domain.discipline import tagged_as
from services.referrals.domain.marks import returned
from services.referrals.domain.milestones import Milestone, Wait, reached
from services.referrals.domain.references import target
from services.referrals.domain.states import TERMINAL, state_of
from services.referrals.domain.transitions import Happened, State
from shared.fhir.json import Resource

PRIORITIES: Mapping[str | None, int] = {"stat": 0, "asap": 1, "urgent": 2, "routine": 3, None: 3}
"""http://hl7.org/fhir/R4/valueset-request-priority.html, the most pressing first; what is not said is routine."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One referral Task. References are relative; moments of milestones are None until they are reached."""

    task: str
    version: int
    status: str
    business_status: str | None
    waits_for: str | None
    since: datetime
    discipline: str | None
    priority: int
    patient: str | None
    service_request: str | None
    requester: str | None
    owner: str | None
    sent_at: datetime | None = None
    acknowledged_at: datetime | None = None
    accepted_at: datetime | None = None
    scheduled_at: datetime | None = None
    """When the visit was booked last."""
    seen_at: datetime | None = None
    reported_at: datetime | None = None
    closed_at: datetime | None = None
    ended_at: datetime | None = None
    waits_since: datetime | None = None
    """When its clock began: not with the state where what it waits for stays the same."""
    due_at: datetime | None = None
    next_stage: str | None = None
    """``clocks.Stage`` that is told next, at ``next_at``; None where all were, or nothing is waited for."""
    next_at: datetime | None = None
    told: str | None = None
    """The stage of this wait that was told last."""
    returned_at: datetime | None = None
    """Since when the referrer's answer to a question is waited for."""
    offered: str | None = None
    """Whom it is offered to while it is open, with spaces between."""

    @property
    def clock(self) -> Clock | None:
        """What runs while somebody is waited for."""
        if self.waits_for is None or self.waits_since is None or self.due_at is None:
            return None
        stage = None if self.next_stage is None else Stage(self.next_stage)
        return Clock(Wait(self.waits_for), self.waits_since, self.due_at, stage, self.next_at)

    def terms(self, calendar: Calendar) -> Terms:
        """What the length of its waits depends on."""
        return Terms(self.discipline, PRIORITY_CODES[self.priority], calendar)


PRIORITY_CODES = {number: code for code, number in PRIORITIES.items() if code is not None}
_BOOKED = frozenset({Happened.SCHEDULED, Happened.RESCHEDULED})
"""A booking counts from the last time, what else was reached from the first."""


def follows(
    known: Standing | None,
    before: Resource | None,
    after: Resource,
    happened: Happened | None,
    at: datetime,
    calendar: Calendar,
) -> Standing:
    """How the referral stands after a change of its Task at ``at``; ``known`` is how it stood, if that was kept.

    A referral that was brought in in a later state has its earlier milestones at that moment."""
    state = state_of(after)
    moments = {milestone: None if known is None else _moment(known, milestone) for milestone in Milestone}
    for milestone in reached(before, after, happened):
        moments[milestone] = moments[milestone] or at
    if happened in _BOOKED:
        moments[Milestone.SCHEDULED] = at
    same = known is not None and (known.status, known.business_status) == (state.status, state.business)
    ended = at if state.status in TERMINAL else None
    standing = Standing(
        task=after["id"],
        version=int(after["meta"]["versionId"]),
        status=state.status,
        business_status=state.business,
        waits_for=None,
        since=known.since if known is not None and same else at,
        discipline=tagged_as(after),
        priority=PRIORITIES[after.get("priority")],
        patient=target(after.get("for")),
        service_request=target(after.get("focus")),
        requester=target(after.get("requester")),
        owner=target(after.get("owner")),
        **{f"{milestone.value}_at": moment for milestone, moment in moments.items()},
        ended_at=known.ended_at if known is not None and same else ended,
        next_stage=None,
        told=None,
        returned_at=_since_when(known, at) if returned(after) else None,
        offered=" ".join(offered(after)) or None,
    )
    return _timed(standing, known, before, happened, at, standing.terms(calendar))


def after_firing(standing: Standing, fired: Fired, clock: Clock) -> Standing:
    """How the referral stands when a stage of its clock was told."""
    return replace(_with(standing, clock), told=fired.stage.value)


def _timed(
    standing: Standing,
    known: Standing | None,
    before: Resource | None,
    happened: Happened | None,
    at: datetime,
    terms: Terms,
) -> Standing:
    """``standing`` with its clock. What had ended when we first heard of it waits for nobody; so does a closed loop."""
    if standing.closed_at is not None or (known is None and standing.ended_at is not None):
        return standing
    old = None if known is None else known.clock
    # one that was there before these tables begins its wait when it comes into them
    left = None if known is None or before is None else state_of(before)
    clock = carried_on(old, left, State(standing.status, standing.business_status), happened, at, terms)
    if clock is None:
        return standing
    goes_on = old is not None and (old.wait, old.since) == (clock.wait, clock.since)
    return replace(_with(standing, clock), told=known.told if known is not None and goes_on else None)


def _with(standing: Standing, clock: Clock) -> Standing:
    return replace(
        standing,
        waits_for=clock.wait.value,
        waits_since=clock.since,
        due_at=clock.due_at,
        next_stage=None if clock.stage is None else clock.stage.value,
        next_at=clock.next_at,
    )


def _since_when(known: Standing | None, at: datetime) -> datetime:
    return at if known is None or known.returned_at is None else known.returned_at


def _moment(known: Standing, milestone: Milestone) -> datetime | None:
    moment: datetime | None = getattr(known, f"{milestone.value}_at")
    return moment
