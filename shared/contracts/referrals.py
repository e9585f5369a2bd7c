"""What ``referrals`` says, with subject ``Task/<id>``: ``referral.<what happened>.v1``, payload ``ReferralV1``,
``referral-clock.<stage>.v1``, payload ``ReferralClockV1``, and ``referral-exchange.<what>.v1``, payload
``ReferralExchangeV1``."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class ReferralEvent(StrEnum):
    """The event types. Each is also the routing key on the exchange."""

    REQUESTED = "referral.requested.v1"
    RECEIVED = "referral.received.v1"
    ACCEPTED = "referral.accepted.v1"
    DECLINED = "referral.declined.v1"
    SCHEDULED = "referral.scheduled.v1"
    RESCHEDULED = "referral.rescheduled.v1"
    NO_SHOW = "referral.no-show.v1"
    APPOINTMENT_CANCELLED = "referral.appointment-cancelled.v1"
    STARTED = "referral.started.v1"
    INTERIM_NOTE = "referral.interim-note.v1"
    CANCELLATION_REQUESTED = "referral.cancellation-requested.v1"
    CANCELLED = "referral.cancelled.v1"
    COMPLETED = "referral.completed.v1"
    HELD = "referral.held.v1"
    RESUMED = "referral.resumed.v1"
    FAILED = "referral.failed.v1"
    RETURNED = "referral.returned.v1"
    ANSWERED = "referral.answered.v1"
    CLOSED = "referral.closed.v1"
    ENTERED_IN_ERROR = "referral.entered-in-error.v1"
    UPDATED = "referral.updated.v1"


class ReferralClockEvent(StrEnum):
    """The event types of a referral that waits: the same holds of them."""

    REMINDER = "referral-clock.reminder.v1"
    ESCALATION = "referral-clock.escalation.v1"
    REROUTE = "referral-clock.reroute.v1"
    """The offer to ask somebody else."""


class ReferralExchangeEvent(StrEnum):
    """The event types of a referral that is carried on with another system: the same holds of them."""

    GIVEN_UP = "referral-exchange.given-up.v1"
    """Nothing came of asking the other side, for too long; it is tried again when the Task changes."""
    CONFLICT = "referral-exchange.conflict.v1"
    """Both sides had moved apart, and the other side's word stands."""


class ReferralV1(BaseModel):
    """The state of one referral after the change. References are relative (``Task/x``)."""

    model_config = ConfigDict(frozen=True)

    task: str
    version: int
    """The Task's versionId: a consumer that has seen a later one ignores this event."""
    status: str
    business_status: str | None = None
    service_request: str | None = None
    patient: str | None = None
    discipline: str | None = None
    requester: str | None = None
    owner: str | None = None
    outputs: tuple[str, ...] = ()
    """References in ``Task.output`` (the consultation report, notes)."""
    offered: tuple[str, ...] = ()
    """Whom an open referral is offered to: the first to claim it has it."""
    withdrawn: tuple[str, ...] = ()
    """Whom it is not offered to any more, without their doing."""
    previous_status: str | None = None
    occurred_at: str
    """A FHIR instant."""


class ReferralClockV1(BaseModel):
    """A stage of one referral's clock. Moments are FHIR instants, references are relative."""

    model_config = ConfigDict(frozen=True)

    task: str
    version: int
    """The Task's versionId when the stage was told."""
    waits_for: str
    """acknowledgement, acceptance, scheduling, visit, report, cancellation, resumption, closing."""
    waits_since: str
    addressee: str
    """Who is told: recipient, initiator, coordinator."""
    passed_over: tuple[str, ...] = ()
    """Stages before this one that were due as well, and are not told any more."""
    due_at: str
    """The end of the target time."""
    planned_at: str
    late: bool = False
    """Whether it is told markedly later than planned: the system was down, or is behind."""
    service_request: str | None = None
    patient: str | None = None
    discipline: str | None = None
    requester: str | None = None
    owner: str | None = None
    offered: tuple[str, ...] = ()
    occurred_at: str


class ReferralExchangeV1(BaseModel):
    """What people must hear of an exchange with another system. References are relative, the moment is an instant."""

    model_config = ConfigDict(frozen=True)

    task: str
    version: int
    endpoint: str
    trouble: str | None = None
    """Why it was given up: a code."""
    status: str
    business_status: str | None = None
    service_request: str | None = None
    patient: str | None = None
    requester: str | None = None
    owner: str | None = None
    occurred_at: str
