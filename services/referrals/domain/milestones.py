"""How far a referral has come, and what it waits for now.

The states are those of 360X and BSeR (http://hl7.org/fhir/us/bser/) and of R4
(http://hl7.org/fhir/R4/task.html#statemachine). In each table the most particular entry counts: status with business
status, else the status alone.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from services.referrals.domain.marks import acknowledged
from services.referrals.domain.states import state_of
from services.referrals.domain.transitions import Happened, State
from shared.fhir.json import Resource

_T = TypeVar("_T")


class Milestone(StrEnum):
    """What a referral passes, in this order. ``scheduled`` is left out by a patient who walks in."""

    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    ACCEPTED = "accepted"
    SCHEDULED = "scheduled"
    SEEN = "seen"
    REPORTED = "reported"
    CLOSED = "closed"
    """The referrer has acknowledged the report. No state of a Task says so: it is marked (``marks.ACKNOWLEDGED``)."""


class Wait(StrEnum):
    """What an open referral waits for."""

    ACKNOWLEDGEMENT = "acknowledgement"
    ACCEPTANCE = "acceptance"
    SCHEDULING = "scheduling"
    VISIT = "visit"
    REPORT = "report"
    CANCELLATION = "cancellation"
    """That the recipient confirms it."""
    RESUMPTION = "resumption"
    CLOSING = "closing"
    """That the referrer acknowledges the report."""


WAITS: dict[str, Wait] = {
    "requested": Wait.ACKNOWLEDGEMENT,
    "received": Wait.ACCEPTANCE,
    "accepted": Wait.SCHEDULING,
    "ready": Wait.SCHEDULING,
    "in-progress": Wait.REPORT,
    "in-progress 5.1.1": Wait.VISIT,
    "in-progress 5.1.2": Wait.SCHEDULING,
    "in-progress 5.1.3": Wait.SCHEDULING,
    "in-progress 5.2": Wait.CANCELLATION,
    "on-hold": Wait.RESUMPTION,
    "completed": Wait.CLOSING,
}
"""A draft waits for nobody but its author, and what has ended without a report for nobody at all."""

FURTHEST: dict[str, Milestone] = {
    "requested": Milestone.SENT,
    "received": Milestone.ACKNOWLEDGED,
    "rejected": Milestone.ACKNOWLEDGED,
    "accepted": Milestone.ACCEPTED,
    "ready": Milestone.ACCEPTED,
    "in-progress": Milestone.SEEN,
    "in-progress 5.1": Milestone.ACCEPTED,
    "in-progress 5.1.1": Milestone.SCHEDULED,
    "in-progress 5.1.2": Milestone.SCHEDULED,
    "in-progress 5.1.3": Milestone.SCHEDULED,
    "in-progress 5.2": Milestone.ACKNOWLEDGED,
    "on-hold": Milestone.SEEN,
    "on-hold 5.1": Milestone.ACCEPTED,
    "on-hold 5.1.1": Milestone.SCHEDULED,
    "on-hold 5.1.2": Milestone.SCHEDULED,
    "on-hold 5.1.3": Milestone.SCHEDULED,
    "on-hold 5.2": Milestone.ACKNOWLEDGED,
    "failed": Milestone.ACCEPTED,
    "cancelled": Milestone.SENT,
    "completed": Milestone.REPORTED,
}
"""The furthest milestone that a state proves; a referral may have come further before it got there. Who misses or calls
off an appointment had one. 5.1 is the visit given as well as the note written after it: there the event decides."""

TOLD: dict[Happened, Milestone] = {
    Happened.SCHEDULED: Milestone.SCHEDULED,
    Happened.RESCHEDULED: Milestone.SCHEDULED,
    Happened.STARTED: Milestone.SEEN,
    Happened.INTERIM_NOTE: Milestone.SEEN,
    Happened.COMPLETED: Milestone.REPORTED,
}
"""What an event proves beside the state after it."""

_BY_ITSELF = (Milestone.SCHEDULED, Milestone.CLOSED)
"""Nothing that comes later proves these."""
_UNSENT = frozenset({"draft", "entered-in-error"})


def wait_of(state: State) -> Wait | None:
    """What a referral in ``state`` waits for; None for a draft and after the end."""
    return _most_particular(WAITS, state)


def reached(before: Resource | None, after: Resource, happened: Happened | None) -> frozenset[Milestone]:
    """The milestones that a change of a Task reaches; ``happened`` is what the change means to others.

    One may be told twice where the state in between does not prove it (a request to cancel hides that the patient was
    seen): the first time counts. A draft that is cancelled reaches nothing, it was never sent."""
    if before is not None and before["status"] == "draft" and after["status"] == "cancelled":
        return frozenset()
    return _proven(after, happened) - (frozenset() if before is None else _proven(before, None))


def _proven(task: Resource, happened: Happened | None) -> frozenset[Milestone]:
    if task["status"] in _UNSENT:
        return frozenset()
    furthest = (
        _most_particular(FURTHEST, state_of(task)),
        None if happened is None else TOLD.get(happened),
        Milestone.SEEN if (task.get("executionPeriod") or {}).get("start") else None,
        Milestone.CLOSED if acknowledged(task) else None,
    )
    return frozenset(passed for each in furthest if each is not None for passed in _up_to(each))


def _up_to(milestone: Milestone) -> frozenset[Milestone]:
    order = list(Milestone)
    earlier = order[: order.index(milestone)]
    return frozenset({milestone, *(each for each in earlier if each not in _BY_ITSELF)})


def _most_particular(table: Mapping[str, _T], state: State) -> _T | None:
    return table.get(str(state)) or table.get(state.status)
