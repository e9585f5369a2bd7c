"""The outbox and the inbox: two tables in every service's own database (docs/adr/0004-messaging.md)."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, LargeBinary, MetaData, Text, text
from sqlmodel import Field, SQLModel

metadata = MetaData()


class MessagingTable(SQLModel):
    """The base of these tables, with a MetaData of its own."""

    metadata = metadata


class OutboxRow(MessagingTable, table=True):
    """An event that was committed together with the change it tells of. Writers fill the four columns after ``seq``."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("outbox_pending", "seq", postgresql_where=text("published_at IS NULL AND parked_at IS NULL")),
    )
    seq: int = Field(sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    event_id: str = Field(sa_type=Text)
    type: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    envelope: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), nullable=False, server_default=text("now()"))
    )
    published_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    attempts: int = Field(sa_column_kwargs={"server_default": "0"})
    """How often the broker returned or refused it."""
    retry_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    """Not before this moment again."""
    parked_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    """Set aside because its envelope is no CloudEvent; it blocks nobody and is kept."""


class InboxRow(MessagingTable, table=True):
    """One consumer has had its effect of one event; written in the effect's transaction."""

    __tablename__ = "inbox"
    __table_args__ = (Index("inbox_handled", "handled_at", postgresql_using="brin"),)
    consumer: str = Field(primary_key=True, sa_type=Text)
    event_id: str = Field(primary_key=True, sa_type=Text)
    handled_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), nullable=False, server_default=text("now()"))
    )
