"""The envelope of an event: CloudEvents 1.0, structured JSON mode (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md)."""

import builtins
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from pydantic import BaseModel

from shared.clock import instant

Payload = TypeVar("Payload", bound=BaseModel)


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event. ``type`` doubles as routing key; ``subject`` (``Task/x``) is the ordering key."""

    id: str
    source: str
    type: str
    subject: str
    time: str
    data: dict[str, Any]
    specversion: str = "1.0"
    datacontenttype: str = "application/json"
    traceparent: str | None = None
    """The distributed-tracing extension: the W3C trace context of the write that caused the event."""

    def payload(self, contract: builtins.type[Payload]) -> Payload:
        """``data`` as its contract. Raises ``pydantic.ValidationError`` when it does not fit."""
        return contract.model_validate(self.data)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Event, strict=True)


def new_event(
    *, id: str, service: str, type: str, subject: str, at: datetime, payload: BaseModel, traceparent: str | None = None
) -> Event:
    """An event of ``service`` that carries ``payload``."""
    return Event(
        id=id,
        source=f"/consilium/{service}",
        type=type,
        subject=subject,
        time=instant(at),
        data=payload.model_dump(mode="json", exclude_none=True),
        traceparent=traceparent,
    )


def encode(event: Event) -> bytes:
    """The event in CloudEvents JSON."""
    return _encoder.encode(event)


def decode(body: bytes) -> Event:
    """The event in ``body``. Raises ``msgspec.DecodeError`` (or its ``ValidationError``) when it is none."""
    return _decoder.decode(body)
