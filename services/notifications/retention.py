"""What notifications lets go of in its own tables: deliveries that arrived, and old entries of the stream."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Self

from pydantic import Field, model_validator

from services.notifications.store import deliveries, stream
from shared.retention import LONGEST, RetentionSettings
from shared.store.sweeping import Sweep


class NotificationRetentionSettings(RetentionSettings):
    """How long messages are kept beside the Communication that tells of them, in days."""

    retention_delivery_days: int | None = Field(default=365, ge=3, le=LONGEST)
    """Deliveries that arrived, with their log. What is on its way or failed is kept."""
    retention_stream_days: int | None = Field(default=90, ge=1, le=LONGEST)
    """Entries of the in-app stream: how far back a client can catch up."""

    @model_validator(mode="after")
    def _told_once(self) -> Self:
        if self.retention_delivery_days is not None and self.retention_delivery_days < self.retention_inbox_days:
            raise ValueError(
                "CONSILIUM_RETENTION_DELIVERY_DAYS must not be less than CONSILIUM_RETENTION_INBOX_DAYS:"
                " a receiver could be told again"
            )
        return self


def sweeps() -> Iterable[Sweep]:
    """As the environment says."""
    settings = NotificationRetentionSettings()
    if settings.retention_delivery_days is not None:
        yield Sweep("delivery", deliveries.forgetting(timedelta(days=settings.retention_delivery_days)))
    if settings.retention_stream_days is not None:
        yield Sweep("stream_entry", stream.forgetting(timedelta(days=settings.retention_stream_days)))
