"""The service's own tables: how each referral stands, and what happened to it."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, LargeBinary, MetaData, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

metadata = MetaData()
MOMENT = DateTime(timezone=True)

OPEN = "waits_for IS NOT NULL"
UNANSWERED = "waits_for IN ('acknowledgement', 'acceptance')"
"""Of ``worklists.ANSWER``."""
RETURNED = "returned_at IS NOT NULL"
OFFERED, IS_OFFERED = "string_to_array(offered, ' ')", "offered IS NOT NULL"
"""Conditions of indexes: a query that says the same, word for word, can use them."""


def _index(name: str, *columns: str, where: str | None = None) -> Index:
    return Index(f"referral_by_{name}", *columns, postgresql_where=None if where is None else text(where))


class ReferralsTable(SQLModel):
    """The base of these tables, with a MetaData of its own."""

    metadata = metadata


class ReferralRow(ReferralsTable, table=True):
    """One referral Task as it stands. References are relative; clinical content stays in the resources."""

    __tablename__ = "referral"
    __table_args__ = (
        _index("clock", "next_at", "task", where="next_at IS NOT NULL"),
        _index("since", "since", "task"),
        _index("open", "since", "task", where=OPEN),
        _index("due", "due_at", "task", where=OPEN),
        _index("unanswered", "priority", "since", "task", where=UNANSWERED),
        _index("unanswered_due", "due_at", "task", where=UNANSWERED),
        _index("returned", "since", "task", where=RETURNED),
        _index("status", "status", "since", "task"),
        _index("discipline_open", "discipline", "since", "task", where=OPEN),
        _index("patient", "patient", "since", "task"),
        _index("owner", "owner", "since", "task"),
        _index("owner_open", "owner", "since", "task", where=OPEN),
        _index("requester", "requester", "since", "task"),
        _index("requester_open", "requester", "since", "task", where=OPEN),
        _index("order", "service_request"),
        _index("sent", "sent_at"),
        Index("referral_by_offer", text(OFFERED), postgresql_using="gin", postgresql_where=text(IS_OFFERED)),
    )
    task: str = Field(primary_key=True, sa_type=Text)
    version: int
    """The Task's versionId."""
    status: str = Field(sa_type=Text)
    business_status: str | None = Field(default=None, sa_type=Text)
    waits_for: str | None = Field(default=None, sa_type=Text)
    """``milestones.Wait``; NULL for a draft and for what has ended."""
    since: datetime = Field(sa_type=MOMENT)
    """When it came into its state."""
    discipline: str | None = Field(default=None, sa_type=Text)
    priority: int = Field(sa_type=SmallInteger)
    """0 stat, 1 asap, 2 urgent, 3 routine."""
    patient: str | None = Field(default=None, sa_type=Text)
    service_request: str | None = Field(default=None, sa_type=Text)
    requester: str | None = Field(default=None, sa_type=Text)
    owner: str | None = Field(default=None, sa_type=Text)
    sent_at: datetime | None = Field(default=None, sa_type=MOMENT)
    acknowledged_at: datetime | None = Field(default=None, sa_type=MOMENT)
    accepted_at: datetime | None = Field(default=None, sa_type=MOMENT)
    scheduled_at: datetime | None = Field(default=None, sa_type=MOMENT)
    seen_at: datetime | None = Field(default=None, sa_type=MOMENT)
    reported_at: datetime | None = Field(default=None, sa_type=MOMENT)
    closed_at: datetime | None = Field(default=None, sa_type=MOMENT)
    ended_at: datetime | None = Field(default=None, sa_type=MOMENT)
    waits_since: datetime | None = Field(default=None, sa_type=MOMENT)
    due_at: datetime | None = Field(default=None, sa_type=MOMENT)
    next_stage: str | None = Field(default=None, sa_type=Text)
    """``clocks.Stage``, which fires at ``next_at``."""
    next_at: datetime | None = Field(default=None, sa_type=MOMENT)
    told: str | None = Field(default=None, sa_type=Text)
    returned_at: datetime | None = Field(default=None, sa_type=MOMENT)
    offered: str | None = Field(default=None, sa_type=Text)


class IdempotencyKeyRow(ReferralsTable, table=True):
    """What a request with an Idempotency-Key led to; of a bulk request, each item by itself. No word of a request."""

    __tablename__ = "idempotency_key"
    caller: str = Field(primary_key=True, sa_type=Text)
    """The token's subject."""
    key: bytes = Field(primary_key=True, sa_type=LargeBinary)
    """SHA-256 of the key."""
    item: int = Field(sa_column=Column(SmallInteger, primary_key=True, autoincrement=False))
    """Its place in a bulk request, else 0."""
    request: bytes = Field(sa_type=LargeBinary)
    """SHA-256 of method, path and body."""
    at: datetime = Field(sa_type=MOMENT)
    task: str | None = Field(default=None, sa_type=Text)
    """The id of the Task that it led to; NULL, as what follows, inside of the transaction that claims the key only."""
    version: int | None = None
    status: int | None = Field(default=None, sa_type=SmallInteger)
    """HTTP's."""


class SavedFilterRow(ReferralsTable, table=True):
    """A list and filter of a caller, under a name of theirs."""

    __tablename__ = "saved_filter"
    __table_args__ = (Index("saved_filter_shared", "name", unique=True, postgresql_where=text("shared")),)
    owner: str = Field(primary_key=True, sa_type=Text)
    """The token's subject."""
    name: str = Field(primary_key=True, sa_type=Text)
    shared: bool
    version: int
    wanted: dict[str, Any] = Field(sa_type=JSONB)
    """The parameters of ``GET /api/referrals``."""
    changed_at: datetime = Field(sa_type=MOMENT)


class ReferralMomentRow(ReferralsTable, table=True):
    """One thing that happened to a referral: it outlasts the Task's versions, of which retention lets go."""

    __tablename__ = "referral_moment"
    __table_args__ = (Index("referral_moment_of", "task", "number"),)
    number: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    task: str = Field(sa_type=Text)
    version: int
    at: datetime = Field(sa_type=MOMENT)
    what: str = Field(sa_type=Text)
    status: str | None = Field(default=None, sa_type=Text)
    business_status: str | None = Field(default=None, sa_type=Text)
    reason: str | None = Field(default=None, sa_type=Text)
    owner: str | None = Field(default=None, sa_type=Text)
    who: str = Field(sa_type=Text)
    """Whom the caller's token names: a relative reference, else its subject."""
    role: str = Field(sa_type=Text)


class ReferralExchangeRow(ReferralsTable, table=True):
    """One referral that is carried on with another system. No clinical content, and no text of the other side."""

    __tablename__ = "referral_exchange"
    __table_args__ = (Index("referral_exchange_due", "next_at", postgresql_where=text("next_at IS NOT NULL")),)
    task: str = Field(primary_key=True, sa_type=Text)
    endpoint: str = Field(primary_key=True, sa_type=Text)
    address: str = Field(sa_type=Text)
    """The base of the other side."""
    organization: str | None = Field(default=None, sa_type=Text)
    practitioner: str | None = Field(default=None, sa_type=Text)
    """In whose name its news are written here: whoever is behind the owner."""
    agreed: str = Field(sa_type=Text)
    """The state on which both sides agreed last, as ``status business``."""
    version: int
    """The newest version of the Task here."""
    looked: int = 0
    """That of it which the other side knows."""
    order_looked: int = 0
    """That of the order which the other side knows."""
    leaving: bool = False
    """Somebody else was asked meanwhile: it is to be withdrawn there."""
    remote_order: str | None = Field(default=None, sa_type=Text)
    remote_task: str | None = Field(default=None, sa_type=Text)
    remote_version: str | None = Field(default=None, sa_type=Text)
    looks: int = 0
    """In a row, that found nothing new."""
    attempts: int = 0
    failures: int = 0
    """In a row."""
    failing_since: datetime | None = Field(default=None, sa_type=MOMENT)
    trouble: str | None = Field(default=None, sa_type=Text)
    """``exchange_pace.Trouble`` of the last attempt."""
    state: str = Field(sa_type=Text)
    """``exchanges.Stands``."""
    next_at: datetime | None = Field(default=None, sa_type=MOMENT)
    holder: str | None = Field(default=None, sa_type=Text)
    """Which attempt has it in hand, until ``held_until``."""
    held_until: datetime | None = Field(default=None, sa_type=MOMENT)
    created_at: datetime = Field(sa_type=MOMENT)
