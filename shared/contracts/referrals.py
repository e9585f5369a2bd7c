"""What ``referrals`` says: ``referral.<what happened>.v1``, subject ``Task/<id>``, payload ``ReferralV1``."""

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
    ENTERED_IN_ERROR = "referral.entered-in-error.v1"
    UPDATED = "referral.updated.v1"


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
    previous_status: str | None = None
    occurred_at: str
    """A FHIR instant."""
