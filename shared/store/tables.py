"""The tables of the resource store: the same in every service's database (each has its own).

Why the index looks like this, with figures: docs/adr/0003-search-layout.md. There is no GIN index on purpose.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    Computed,
    DateTime,
    Identity,
    Index,
    LargeBinary,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlmodel import Field, SQLModel

from shared.store.indexing import DATE_LEVELS

metadata = MetaData()


class StoreTable(SQLModel):
    """The base of the store's tables, with a MetaData of its own."""

    metadata = metadata


class ResourceRow(StoreTable, table=True):
    """The current version of a resource. ``body`` is the exact bytes that are served."""

    __tablename__ = "resource"
    __table_args__ = (
        Index("resource_identity", "type", "id", unique=True),
        Index("resource_patient", "type", "patient", "rid", postgresql_where=text("NOT deleted")),
        # unique, so that the planner knows that it leads to one row; two resources with one key are refused
        Index("resource_self", "self", unique=True),
        Index("resource_updated", "type", "last_updated", "rid", postgresql_where=text("NOT deleted")),
        Index("resource_deleted", "type", "last_updated", "rid", postgresql_where=text("deleted")),
        # the order of an unsorted search; a key on rid alone would tempt the planner to walk through the other types
        PrimaryKeyConstraint("type", "rid"),
    )
    rid: int = Field(sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    type: str = Field(primary_key=True, sa_type=Text)
    id: str = Field(sa_type=Text)
    self: int = Field(sa_type=BigInteger)
    """``identity`` of type and id."""
    version: int
    last_updated: datetime = Field(sa_type=DateTime(timezone=True))
    deleted: bool = False
    patient: str | None = Field(default=None, sa_type=Text)
    terms: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False))
    """Checked on rows that another index found; ``index_term`` holds them for finding rows."""
    marks: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False, server_default="{}"))
    link_params: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False))
    """By which parameter each of ``link_targets`` (the ``self`` of other rows) is referred to."""
    link_targets: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False))
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class HistoryRow(StoreTable, table=True):
    """Every version that a resource ever had, and the method that made it. A deletion has an empty body."""

    __tablename__ = "resource_history"
    __table_args__ = (
        Index("resource_history_type", "type", "last_updated", "seq"),
        Index("resource_history_updated", "last_updated", "seq"),
    )
    type: str = Field(primary_key=True, sa_type=Text)
    id: str = Field(primary_key=True, sa_type=Text)
    version: int = Field(primary_key=True)
    last_updated: datetime = Field(sa_type=DateTime(timezone=True))
    method: str = Field(sa_type=Text)
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    seq: int = Field(sa_column=Column(BigInteger, Identity(always=True), nullable=False))
    """Tells versions of one moment apart in the order of a type's or the whole history."""


class CopyMarkRow(StoreTable, table=True):
    """Until when everything that its owner has of a type is copied here, and who is at it (``shared.copies``)."""

    __tablename__ = "copy_mark"
    type: str = Field(primary_key=True, sa_type=Text)
    until: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    lease_until: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class FloorRow(StoreTable, table=True):
    """At most one row: the revision that code must know since the last contract migration."""

    __tablename__ = "schema_floor"
    oldest: str = Field(primary_key=True, sa_type=Text)


class SweepRow(StoreTable, table=True):
    """How far a sweep of retention is, and who is at it (``shared.store.sweeping``)."""

    __tablename__ = "retention_sweep"
    name: str = Field(primary_key=True, sa_type=Text)
    position: int = Field(sa_column=Column(BigInteger, nullable=False, server_default="0"))
    holder: str | None = Field(default=None, sa_type=Text)
    lease_until: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    due_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False, server_default=text("now()")))
    finished_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    deleted: int = Field(sa_column=Column(BigInteger, nullable=False, server_default="0"))
    """Rows that the last sweep deleted, or this one until now."""


class BulkJobRow(StoreTable, table=True):
    """A job of bulk data (``shared.store.jobs``): an export or an import, and how far it is.

    A row outlives its files: the next export since ``at`` asks what ``snapshot`` did not see."""

    __tablename__ = "bulk_job"
    __table_args__ = (
        Index("bulk_job_at", "at"),
        Index("bulk_job_running", "touched_at", postgresql_where=text("status = 'running'")),
    )
    id: str = Field(primary_key=True, sa_type=Text)
    kind: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    """Who started it."""
    status: str = Field(sa_type=Text)
    asked: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    at: datetime = Field(sa_type=DateTime(timezone=True))
    snapshot: str = Field(sa_type=Text)
    position: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    done: int = Field(sa_column=Column(BigInteger, nullable=False))
    total: int = Field(sa_column=Column(BigInteger, nullable=False))
    attempts: int
    """Claims since it last got on."""
    holder: str | None = Field(default=None, sa_type=Text)
    lease_until: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    touched_at: datetime = Field(sa_type=DateTime(timezone=True))
    expires_at: datetime = Field(sa_type=DateTime(timezone=True))


class BulkFileRow(StoreTable, table=True):
    """One file of a job."""

    __tablename__ = "bulk_file"
    job: str = Field(primary_key=True, sa_type=Text)
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    role: str = Field(sa_type=Text)
    type: str = Field(sa_type=Text)
    count: int = Field(sa_column=Column(BigInteger, nullable=False))
    """Its lines."""


class BulkChunkRow(StoreTable, table=True):
    """A piece of a file: whole lines, deflated; checksum and size of the file up to its end (RFC 1952)."""

    __tablename__ = "bulk_chunk"
    job: str = Field(primary_key=True, sa_type=Text)
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    seq: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    data: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    crc: int = Field(sa_column=Column(BigInteger, nullable=False))
    size: int = Field(sa_column=Column(BigInteger, nullable=False))


class DecisionRow(StoreTable, table=True):
    """Whether a transaction that spans databases is committed (``shared.store.decisions``)."""

    __tablename__ = "transaction_decision"
    id: str = Field(primary_key=True, sa_type=Text)
    committed: bool
    parts: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False, server_default="{}"))
    """The services that have prepared parts of it."""
    decided_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), nullable=False, server_default=text("now()"))
    )


def _level() -> str:
    cases = " ".join(f"WHEN high - low <= {length} THEN {level}" for level, length in enumerate(DATE_LEVELS))
    return f"CASE {cases} ELSE {len(DATE_LEVELS)} END"


def _column(name: str, type_: type[BigInteger] | type[Numeric[Any]] | Text) -> Column[Any]:
    return Column(name, type_, nullable=False)


index_term = Table(
    "index_term",
    metadata,
    Column("term", BigInteger, primary_key=True, autoincrement=False),
    Column("rid", BigInteger, primary_key=True, autoincrement=False),
)
"""One row per term of a resource, in keyset order: rare and common terms cost the same per page."""

# The value tables have no key: one statement deletes a resource's old rows and inserts equal new ones.
index_date = Table(
    "index_date",
    metadata,
    _column("param", BigInteger),
    _column("rid", BigInteger),
    _column("low", BigInteger),
    _column("high", BigInteger),
    Column("level", SmallInteger, Computed(_level(), persisted=True), nullable=False),
    Index("index_date_low", "param", "low", "rid"),
    Index("index_date_level", "param", "level", "low", "high", "rid"),
    Index("index_date_rid", "rid", "param"),
)
"""A date parameter's value: [low, high) in microseconds since 1970; ``level`` sorts it by length (``DATE_LEVELS``)."""

index_string = Table(
    "index_string",
    metadata,
    _column("param", BigInteger),
    _column("rid", BigInteger),
    _column("value", Text(collation="C")),
    _column("exact", BigInteger),
    Index("index_string_value", "param", "value", "rid", postgresql_include=["exact"]),
    Index("index_string_rid", "rid", "param"),
)
"""A string parameter's value, folded; and the term of the exact one."""

index_quantity = Table(
    "index_quantity",
    metadata,
    _column("param", BigInteger),
    _column("rid", BigInteger),
    Column("units", ARRAY(BigInteger), nullable=False),
    _column("low", Numeric),
    _column("high", Numeric),
    Column("level", SmallInteger, Computed("CASE WHEN low = high THEN 0 ELSE 1 END", persisted=True), nullable=False),
    Index("index_quantity_low", "param", "low", "rid"),
    Index("index_quantity_level", "param", "level", "low", "high", "rid"),
    Index("index_quantity_rid", "rid", "param"),
)
"""A number or quantity parameter's value: [low, high]; level 0 are points."""
