"""What ``notifications`` says: ``notification.<what>.v1`` of a ``Communication/<id>``, with ``NotificationV1``."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class NotificationEvent(StrEnum):
    """The event types. Each is also the routing key on the exchange."""

    DELIVERED = "notification.delivered.v1"
    FAILED = "notification.failed.v1"


class NotificationV1(BaseModel):
    """How one delivery to one receiver over one channel ended."""

    model_config = ConfigDict(frozen=True)

    communication: str
    recipient: str
    channel: str
    attempts: int
    caused_by: str
    occurred_at: str
