"""The service's own tables (docs/adr/0006-notification-delivery.md)."""

from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, Column, DateTime, Identity, Index, LargeBinary, MetaData, Text, text
from sqlmodel import Field, SQLModel

metadata = MetaData()


def _moment(*, nullable: bool = False) -> Column[datetime]:
    return Column(DateTime(timezone=True), nullable=nullable)


class NotificationTable(SQLModel):
    """The base of these tables, with a MetaData of its own."""

    metadata = metadata


class PreferenceRow(NotificationTable, table=True):
    """How a receiver wants to be told over one channel."""

    __tablename__ = "receiver_preference"
    receiver: str = Field(primary_key=True, sa_type=Text)
    channel: str = Field(primary_key=True, sa_type=Text)
    address: str | None = Field(default=None, sa_type=Text)
    secret: str | None = Field(default=None, sa_type=Text)
    """What signs webhooks to this address."""
    enabled: bool
    reason: str | None = Field(default=None, sa_type=Text)
    """Why the service itself switched it off."""
    updated_at: datetime = Field(sa_column=_moment())


class DeliveryRow(NotificationTable, table=True):
    """One message to one receiver over one channel."""

    __tablename__ = "delivery"
    __table_args__ = (
        Index("delivery_told_once", "told_as", "receiver", "channel", unique=True),
        Index("delivery_due", "due_at", postgresql_where=text("status IN ('pending', 'sending')")),
        Index("delivery_communication", "communication"),
        Index("delivery_status", "status", "id"),
    )
    id: str = Field(primary_key=True, sa_type=Text)
    communication: str = Field(sa_type=Text)
    """The Communication's id."""
    event_id: str = Field(sa_type=Text)
    told_as: str = Field(sa_type=Text)
    """The first event of the chain that ``event_id`` belongs to: the receiver hears of a chain once per channel."""
    type: str = Field(sa_type=Text)
    receiver: str = Field(sa_type=Text)
    channel: str = Field(sa_type=Text)
    text: str = Field(sa_type=Text)
    focus: str = Field(sa_type=Text)
    status: str = Field(sa_type=Text)
    attempts: int
    due_at: datetime | None = Field(default=None, sa_column=_moment(nullable=True))
    """When it may be claimed: pending, the next attempt; sending, the end of the lease."""
    reason: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_column=_moment())
    settled_at: datetime | None = Field(default=None, sa_column=_moment(nullable=True))
    traceparent: str | None = Field(default=None, sa_type=Text)


class AttemptRow(NotificationTable, table=True):
    """The delivery log: one row per attempt. Without an end, the worker was lost and the outcome is unknown."""

    __tablename__ = "delivery_attempt"
    delivery: str = Field(primary_key=True, sa_type=Text)
    started_at: datetime = Field(sa_column=Column(DateTime(timezone=True), primary_key=True))
    attempt: int
    ended_at: datetime | None = Field(default=None, sa_column=_moment(nullable=True))
    verdict: str | None = Field(default=None, sa_type=Text)
    reason: str | None = Field(default=None, sa_type=Text)
    code: int | None = None
    """The HTTP or SMTP status."""


class StreamRow(NotificationTable, table=True):
    """One entry of the in-app stream. ``seq`` grows in commit order: whoever inserts holds the stream's lock."""

    __tablename__ = "stream_entry"
    __table_args__ = (Index("stream_receiver", "receiver", "seq"), Index("stream_event", "event_id"))
    seq: int = Field(sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    receiver: str = Field(sa_type=Text)
    event_id: str = Field(sa_type=Text)
    at: datetime = Field(sa_column=_moment())
    data: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class ReferralPartyRow(NotificationTable, table=True):
    """What one referral says of who takes part in a patient's care; the newest version that was heard."""

    __tablename__ = "referral_party"
    __table_args__ = (Index("referral_party_patient", "patient"),)
    task: str = Field(primary_key=True, sa_type=Text)
    version: int
    event_id: str = Field(sa_type=Text)
    """The event that told of this version."""
    patient: str | None = Field(default=None, sa_type=Text)
    service_request: str | None = Field(default=None, sa_type=Text)
    parties: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    members: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
