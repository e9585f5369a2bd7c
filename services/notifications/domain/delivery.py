"""How a delivery goes: claimed, tried, tried again later, delivered or given up (visible, and can be replayed)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

LEASE = timedelta(seconds=60)
"""How long a worker owns what it claimed; longer than any channel's timeout. After that another worker takes over."""

DELAYS: tuple[timedelta, ...] = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=12),
)
"""The pause after each failed attempt; one more attempt than there are pauses, over about 21 hours."""


class Status(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    SENDING = "sending"
    DELIVERED = "delivered"
    FAILED = "failed"


class Verdict(StrEnum):
    """What a channel says of one attempt."""

    OK = "ok"
    RETRY = "retry"
    REFUSED = "refused"
    """Trying again cannot help."""
    GONE = "gone"
    """The receiver's endpoint wants nothing any more: refused, and the preference goes off."""


class Reason(StrEnum):
    """Why an attempt failed. Codes only: what a server answered may contain anything."""

    CONNECTION = "connection-failed"
    TIMEOUT = "timeout"
    TLS = "tls-failed"
    HTTP_STATUS = "http-status"
    REDIRECT = "redirect"
    GONE = "endpoint-gone"
    EGRESS = "address-not-allowed"
    SMTP_TEMPORARY = "smtp-temporary"
    SMTP_PERMANENT = "smtp-permanent"
    NO_ADDRESS = "no-address"
    SWITCHED_OFF = "switched-off"
    NOT_SET_UP = "channel-not-set-up"
    WORKER_LOST = "worker-lost"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one attempt ended."""

    verdict: Verdict
    reason: Reason | None = None
    code: int | None = None
    """The HTTP or SMTP status, where there was one."""


DELIVERED = Outcome(Verdict.OK)


@dataclass(frozen=True, slots=True)
class Ended:
    """A fact: a delivery was delivered, or failed for good."""

    status: Status
    communication: str
    """The Communication's id."""
    receiver: str
    channel: str
    attempts: int
    event_id: str
    at: str
    """A FHIR instant."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One delivery as a channel needs it. ``repr`` hides where it goes and what it says."""

    id: str
    """Stable over all attempts: receivers drop repeats by it."""
    event_id: str
    type: str
    communication: str
    text: str
    focus: str
    sent: datetime
    """When it was first put down, the same in every attempt."""
    address: str
    secret: str | None = None

    def __repr__(self) -> str:
        return f"Letter({self.id})"


@dataclass(frozen=True, slots=True)
class Next:
    """What becomes of a delivery after an attempt."""

    status: Status
    due_at: datetime | None = None


def after_attempt(outcome: Outcome, *, attempts: int, now: datetime, delays: tuple[timedelta, ...] = DELAYS) -> Next:
    """The next state after attempt number ``attempts`` (counted from 1, by claim: a lost worker's try counts too)."""
    match outcome.verdict:
        case Verdict.OK:
            return Next(Status.DELIVERED)
        case Verdict.RETRY if attempts <= len(delays):
            return Next(Status.PENDING, now + delays[attempts - 1])
        case _:
            return Next(Status.FAILED)
