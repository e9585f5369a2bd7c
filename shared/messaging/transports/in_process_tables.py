"""The tables of the in-process transport, in a database of their own (``consilium_bus``)."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, LargeBinary, MetaData, Text, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlmodel import Field, SQLModel

from shared.store.database import Pool

metadata = MetaData()

CREATION_LOCK = 7_262_001
"""The advisory lock under which the tables are made; any constant does."""


class BusTable(SQLModel):
    """The base of these tables, with a MetaData of its own."""

    metadata = metadata


class BusQueueRow(BusTable, table=True):
    """A queue and the regular expression over ``<event type>.`` of what it hears."""

    __tablename__ = "bus_queue"
    name: str = Field(primary_key=True, sa_type=Text)
    exchange: str = Field(sa_type=Text)
    pattern: str = Field(sa_type=Text)


class BusMessageRow(BusTable, table=True):
    """One message in one queue. It is gone when it was handled, and dead (kept) when it was given up."""

    __tablename__ = "bus_message"
    __table_args__ = (
        Index("bus_message_waiting", "queue", "id", postgresql_where=text("dead_at IS NULL")),
        Index("bus_message_dead", "queue", "id", postgresql_where=text("dead_at IS NOT NULL")),
    )
    id: int = Field(sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    queue: str = Field(sa_type=Text)
    event_id: str = Field(sa_type=Text)
    type: str = Field(sa_type=Text)
    traceparent: str | None = Field(default=None, sa_type=Text)
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    available_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()"))
    )
    attempts: int = Field(sa_column_kwargs={"server_default": "0"})
    first_failed_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    last_failed_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    reason: str | None = Field(default=None, sa_type=Text)
    dead_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


async def create_tables(pool: Pool) -> None:
    """Make the tables where they are missing; safe from several processes at once."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves dialect constructors untyped
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", CREATION_LOCK)
        for table in metadata.sorted_tables:
            await connection.execute(str(CreateTable(table, if_not_exists=True).compile(dialect=dialect)))
            for index in table.indexes:
                await connection.execute(str(CreateIndex(index, if_not_exists=True).compile(dialect=dialect)))
