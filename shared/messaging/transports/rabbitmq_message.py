"""A message on the wire: the CloudEvent as body, ids and the record of its failures in properties and headers.

Headers hold ids, counts, moments and codes of ours; never anything from the payload.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractIncomingMessage
from pamqp.commands import Basic
from pamqp.common import FieldTable

from shared.ids import uuid7
from shared.messaging.transport import DeadLetter, Outgoing

CONTENT_TYPE = "application/cloudevents+json"
TRACEPARENT = "traceparent"
ATTEMPTS = "x-consilium-attempts"
REASON = "x-consilium-reason"
FIRST_FAILED = "x-consilium-first-failed"
LAST_FAILED = "x-consilium-last-failed"
CRASHED = "delivery-limit"
"""The reason of a message that the broker gave up because consumers died over it."""


@dataclass(frozen=True, slots=True)
class Record:
    """What happened to a message so far."""

    attempts: int = 0
    first_failed_at: datetime | None = None
    last_failed_at: datetime | None = None
    reason: str | None = None

    def failed(self, reason: str, at: datetime) -> "Record":
        """The record after one more failure."""
        return Record(self.attempts + 1, self.first_failed_at or at, at, reason)


def properties(event: Outgoing) -> Basic.Properties:
    """The properties of an event on its way to the exchange."""
    headers: FieldTable = {} if event.traceparent is None else {TRACEPARENT: event.traceparent}
    return Basic.Properties(
        message_id=event.id,
        message_type=event.type,
        content_type=CONTENT_TYPE,
        delivery_mode=DeliveryMode.PERSISTENT,
        headers=headers,
    )


def record_of(message: AbstractIncomingMessage) -> Record:
    """The record that ``message`` carries."""
    return Record(
        attempts=_number(message, ATTEMPTS),
        first_failed_at=_moment(message, FIRST_FAILED),
        last_failed_at=_moment(message, LAST_FAILED),
        reason=_text(message, REASON),
    )


def again(message: AbstractIncomingMessage, record: Record, *, after: float | None = None) -> Message:
    """``message`` anew: same id, body and trace context, the given record, and none of the broker's own headers.

    ``after``: the seconds that it lives in a retry queue.
    """
    headers: FieldTable = {}
    if (traceparent := traceparent_of(message)) is not None:
        headers[TRACEPARENT] = traceparent
    if record.attempts:
        headers[ATTEMPTS] = record.attempts
    for name, moment in ((FIRST_FAILED, record.first_failed_at), (LAST_FAILED, record.last_failed_at)):
        if moment is not None:
            headers[name] = moment.isoformat()
    if record.reason is not None:
        headers[REASON] = record.reason
    return Message(
        message.body,
        headers=headers,
        message_id=message.message_id or uuid7(),
        type=message.type,
        content_type=message.content_type,
        delivery_mode=DeliveryMode.PERSISTENT,
        expiration=after,
    )


def dead_letter(queue: str, message: AbstractIncomingMessage) -> DeadLetter:
    """``message`` of ``<queue>.dead`` as a value."""
    record = record_of(message)
    return DeadLetter(
        id=message.message_id or "",
        queue=queue,
        type=message.type or "",
        reason=record.reason or CRASHED,
        attempts=record.attempts,
        first_failed_at=record.first_failed_at,
        last_failed_at=record.last_failed_at,
        traceparent=traceparent_of(message),
        body=message.body,
    )


def traceparent_of(message: AbstractIncomingMessage) -> str | None:
    """The W3C trace context in the headers."""
    return _text(message, TRACEPARENT)


def _text(message: AbstractIncomingMessage, name: str) -> str | None:
    value = message.headers.get(name)
    return value if isinstance(value, str) else None


def _number(message: AbstractIncomingMessage, name: str) -> int:
    value = message.headers.get(name)
    return value if isinstance(value, int) else 0


def _moment(message: AbstractIncomingMessage, name: str) -> datetime | None:
    try:
        return datetime.fromisoformat(_text(message, name) or "").astimezone(UTC)
    except ValueError:
        return None
