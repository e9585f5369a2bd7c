"""How a referral stands: its present state, and when it came to each milestone. Folded from the changes of its Task."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.referrals.domain.discipline import tagged_as
from services.referrals.domain.milestones import Milestone, reached, wait_of
from services.referrals.domain.references import target
from services.referrals.domain.states import TERMINAL, state_of
from services.referrals.domain.transitions import Happened
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


_BOOKED = frozenset({Happened.SCHEDULED, Happened.RESCHEDULED})
"""A booking counts from the last time, what else was reached from the first."""


def follows(
    known: Standing | None,
    before: Resource | None,
    after: Resource,
    happened: Happened | None,
    at: datetime,
) -> Standing:
    """How the referral stands after a change of its Task at ``at``; ``known`` is how it stood, if that was kept.

    A referral that was brought in in a later state has its earlier milestones at that moment."""
    state = state_of(after)
    wait = wait_of(state)
    moments = {milestone: None if known is None else _moment(known, milestone) for milestone in Milestone}
    for milestone in reached(before, after, happened):
        moments[milestone] = moments[milestone] or at
    if happened in _BOOKED:
        moments[Milestone.SCHEDULED] = at
    same = known is not None and (known.status, known.business_status) == (state.status, state.business)
    ended = at if state.status in TERMINAL else None
    return Standing(
        task=after["id"],
        version=int(after["meta"]["versionId"]),
        status=state.status,
        business_status=state.business,
        waits_for=None if wait is None else wait.value,
        since=known.since if known is not None and same else at,
        discipline=tagged_as(after),
        priority=PRIORITIES[after.get("priority")],
        patient=target(after.get("for")),
        service_request=target(after.get("focus")),
        requester=target(after.get("requester")),
        owner=target(after.get("owner")),
        **{f"{milestone.value}_at": moment for milestone, moment in moments.items()},
        ended_at=known.ended_at if known is not None and same else ended,
    )


def _moment(known: Standing, milestone: Milestone) -> datetime | None:
    moment: datetime | None = getattr(known, f"{milestone.value}_at")
    return moment
