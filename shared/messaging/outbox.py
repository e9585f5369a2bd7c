"""The outbox as writers and watchers see it: an event is committed with the change that it tells of, or not at all."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from shared.messaging.envelope import Event, encode
from shared.messaging.topology import pattern
from shared.store.database import Connection
from shared.store.sweeping import Batch

Columns = tuple[list[str], list[str], list[str], list[bytes]]
"""Event ids, types, subjects, envelopes: the four parameters of ``insert_sql``."""

PRUNE_WINDOW = 2000


def insert_sql(first: int = 1) -> str:
    """The INSERT for four array parameters that begin at ``$first``; it also stands as a CTE in a larger statement."""
    arrays = f"${first}::text[], ${first + 1}::text[], ${first + 2}::text[], ${first + 3}::bytea[]"
    return f"INSERT INTO outbox (event_id, type, subject, envelope) SELECT * FROM unnest({arrays})"


def columns(events: Iterable[Event]) -> Columns:
    """The parameters of ``insert_sql``, in the order of the events."""
    rows = [(event.id, event.type, event.subject, encode(event)) for event in events]
    return [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows], [row[3] for row in rows]


async def add(connection: Connection, events: Iterable[Event]) -> None:
    """Put ``events`` into the outbox inside the transaction that is open on ``connection``."""
    parameters = columns(events)
    if parameters[0]:
        await connection.execute(insert_sql(), *parameters)


@dataclass(frozen=True, slots=True)
class Depth:
    """What still waits: the number, the age of the oldest in seconds, and how many were set aside as unreadable."""

    pending: int
    oldest_seconds: float
    parked: int


async def depth(connection: Connection) -> Depth:
    """The outbox's backlog, for metrics and readiness."""
    row = await connection.fetchrow(
        """
        SELECT count(*) FILTER (WHERE parked_at IS NULL) AS pending,
               coalesce(extract(epoch FROM clock_timestamp() - min(created_at) FILTER (WHERE parked_at IS NULL)), 0)
                   AS age,
               count(*) FILTER (WHERE parked_at IS NOT NULL) AS parked
        FROM outbox WHERE published_at IS NULL
        """
    )
    assert row is not None  # an aggregate without GROUP BY has one row
    return Depth(pending=row["pending"], oldest_seconds=float(row["age"]), parked=row["parked"])


async def publish_again(connection: Connection, routing_keys: Iterable[str]) -> int:
    """Let the relay publish everything once more that ``routing_keys`` match and retention still holds; how many.

    Pending rows count too: one may be confirmed and about to be marked; the update waits for that and undoes it."""
    status = await connection.execute(
        "UPDATE outbox SET published_at = NULL WHERE (type || '.') ~ $1", pattern(routing_keys)
    )
    return int(str(status).split()[-1])


async def prune_window(connection: Connection, after: int, retention: timedelta) -> Batch:
    """Delete what was published longer than ``retention`` ago among the next rows behind ``seq`` ``after``.

    It walks the primary key, so that it needs no other index, and ends where the rows are too young. Those from the
    future, of a clock that was wrong, are passed: they say nothing of what lies behind them."""
    row = await connection.fetchrow(
        """
        WITH reach AS MATERIALIZED (
                 SELECT seq, least(created_at, published_at) < clock_timestamp() - $3::interval AS old,
                     greatest(created_at, published_at) > clock_timestamp() AS ahead
                 FROM outbox WHERE seq > $1 ORDER BY seq LIMIT $2),
             gone AS (DELETE FROM outbox WHERE seq IN (SELECT seq FROM reach)
                      AND published_at < clock_timestamp() - $3::interval RETURNING 1)
        SELECT (SELECT count(*) FROM gone) AS deleted, max(seq) AS last, count(*) AS seen,
               bool_or(old) OR bool_and(ahead) AS further FROM reach
        """,
        after,
        PRUNE_WINDOW,
        retention,
    )
    assert row is not None  # an aggregate without GROUP BY has one row
    complete = row["seen"] < PRUNE_WINDOW or not row["further"]
    return Batch(row["deleted"], None if complete else row["last"])


async def prune(connection: Connection, retention: timedelta) -> int:
    """Delete all that was published longer than ``retention`` ago; how many."""
    deleted, after = 0, 0
    while True:
        batch = await prune_window(connection, after, retention)
        deleted += batch.deleted
        if batch.position is None:
            return deleted
        after = batch.position
