"""What the plan knows of one referral, merged from events that may arrive in any order and more than once.

``merge`` is commutative, associative and idempotent: the highest Task version gives the present state, and every
version, however late it comes, may add the moment of acceptance and of the end.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

NOT_STARTED, SCHEDULED, IN_PROGRESS, ON_HOLD = "not-started", "scheduled", "in-progress", "on-hold"

BY_STATUS: Mapping[str, str] = {
    "draft": NOT_STARTED,
    "requested": NOT_STARTED,
    "received": NOT_STARTED,
    "ready": NOT_STARTED,
    "accepted": NOT_STARTED,
    "in-progress": IN_PROGRESS,
    "on-hold": ON_HOLD,
    "completed": "completed",
    "rejected": "cancelled",
    "cancelled": "cancelled",
    "failed": "stopped",
    "entered-in-error": "entered-in-error",
}
"""Task.status -> activity status."""

BY_BUSINESS_STATUS: Mapping[str, str] = {
    "5.1.1": SCHEDULED,
    "5.1.2": NOT_STARTED,  # a no-show: the booking is spent and nothing happened
    "5.1.3": NOT_STARTED,  # the appointment was cancelled, the referral was not
    "5.1.4": IN_PROGRESS,
    "5.2": ON_HOLD,  # a cancellation is asked for and not answered: neither going on nor ended
}
"""Task.businessStatus (360X/BSeR) of a Task in progress -> activity status, where it says more than the status does."""

CANCELLATION_REQUESTED = "5.2"
ENDED = frozenset({"rejected", "cancelled", "failed", "entered-in-error"})


@dataclass(frozen=True, slots=True)
class Referral:
    """One referral as far as it is known. References are relative."""

    task: str
    version: int
    """The Task's version that the state is from."""
    patient: str
    status: str
    business_status: str | None = None
    service_request: str | None = None
    discipline: str | None = None
    owner: str | None = None
    outputs: tuple[str, ...] = ()
    accepted_at: datetime | None = None
    """The earliest moment at which it is known to have been accepted; None where that is not known."""
    ended_at: datetime | None = None
    """The earliest moment at which it is known to have been rejected, cancelled, failed or an error."""

    @property
    def activity_status(self) -> str:
        """The plan activity's status; ``unknown`` for a Task status that the table does not have."""
        by_status = BY_STATUS.get(self.status, "unknown")
        if self.status == "in-progress" and self.business_status:
            return BY_BUSINESS_STATUS.get(self.business_status, by_status)
        return by_status

    @property
    def followed(self) -> str:
        """What the activity refers to: the ServiceRequest, or the Task of a referral that has none."""
        return self.service_request or self.task

    @property
    def ended(self) -> bool:
        """It came to an end without being completed."""
        return self.status in ENDED


def shows_acceptance(status: str, business_status: str | None, previous_status: str | None) -> bool:
    """Whether this state of a Task proves that the recipient has accepted.

    A cancellation request moves even an unanswered Task to ``in-progress`` (360X row 04): that proves nothing."""
    if status in ("accepted", "completed") or previous_status == "accepted":
        return True
    return status == "in-progress" and business_status != CANCELLATION_REQUESTED


def witness(referral: Referral, at: datetime, previous_status: str | None = None) -> Referral:
    """``referral``, as one event told it at ``at``, with what that proves about acceptance and end."""
    accepted = shows_acceptance(referral.status, referral.business_status, previous_status)
    return replace(referral, accepted_at=at if accepted else None, ended_at=at if referral.ended else None)


def merge(known: Referral | None, told: Referral) -> Referral:
    """What is known after ``told``. A version that is not later than the known one adds moments only."""
    if known is None:
        return told
    present = told if told.version > known.version else known
    return replace(
        present,
        accepted_at=_earlier(known.accepted_at, told.accepted_at),
        ended_at=_earlier(known.ended_at, told.ended_at),
    )


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    if one is None or other is None:
        return one or other
    return min(one, other)
