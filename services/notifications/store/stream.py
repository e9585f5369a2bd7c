"""The in-app stream's table.

Identity values are handed out before commit, so a reader that has seen 12 could miss an 11 that commits later.
Whoever appends therefore holds one lock from before the first ``seq`` is taken until its transaction ends: ``seq``
grows in commit order, and "everything after n" is complete. Appending is the last thing in a transaction, so the lock
is short.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.store.database import Connection, Pool
from shared.store.sweeping import Batch, through

STREAM = "consilium_stream"
"""The NOTIFY channel that wakes the readers."""
_LOCK = 7_261_905_115
"""The advisory lock of the stream's order."""

_APPEND = """
WITH appended AS (
    INSERT INTO stream_entry (receiver, event_id, at, data)
    SELECT e.receiver, e.event_id, $1, e.data
    FROM unnest($2::text[], $3::text[], $4::bytea[]) AS e(receiver, event_id, data))
SELECT pg_notify($5, '')
"""
_SINCE = "SELECT seq, receiver, event_id, at, data FROM stream_entry WHERE seq > $1 ORDER BY seq LIMIT $2"
_OWN = """
SELECT seq, receiver, event_id, at, data FROM stream_entry e WHERE receiver = ANY($1::text[])
    AND seq > $2 AND NOT EXISTS (
    SELECT FROM stream_entry o WHERE o.event_id = e.event_id AND o.receiver = ANY($1::text[]) AND o.seq < e.seq)
ORDER BY seq LIMIT $3
"""
_NEWEST = """
SELECT seq, receiver, event_id, at, data FROM stream_entry e WHERE receiver = ANY($1::text[])
    AND ($2::bigint IS NULL OR seq < $2) AND NOT EXISTS (
    SELECT FROM stream_entry o WHERE o.event_id = e.event_id AND o.receiver = ANY($1::text[]) AND o.seq < e.seq)
ORDER BY seq DESC LIMIT $3
"""

# all of an event at once: its first entry is what keeps the others from being shown
_FORGET = """
WITH gone AS (
    DELETE FROM stream_entry WHERE at < now() - $3::interval AND event_id IN (
        SELECT d.event_id FROM stream_entry d WHERE {reach} AND d.at < now() - $3::interval)
    RETURNING 1)
SELECT count(*) FROM gone
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; ``data`` is JSON."""

    seq: int
    receiver: str
    event_id: str
    at: datetime
    data: bytes = field(repr=False)


async def append(connection: Connection, at: datetime, entries: Sequence[tuple[str, str, bytes]]) -> None:
    """Append (receiver, event id, data) and wake the readers on commit. Call it last: it holds the stream's lock."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
    columns = [list(column) for column in zip(*entries, strict=True)]
    await connection.execute(_APPEND, at, *columns, STREAM)


async def last(pool: Pool) -> int:
    """The newest ``seq``; 0 for an empty stream."""
    answer: int = await pool.fetchval("SELECT coalesce(max(seq), 0) FROM stream_entry")
    return answer


async def since(pool: Pool, seq: int, limit: int) -> list[Entry]:
    """Everybody's entries after ``seq``, in order."""
    return [Entry(*row) for row in await pool.fetch(_SINCE, seq, limit)]


async def own_since(pool: Pool, receivers: Iterable[str], seq: int, limit: int) -> list[Entry]:
    """The entries of ``receivers`` after ``seq``, in order; one per event, also where several of them were told."""
    return [Entry(*row) for row in await pool.fetch(_OWN, list(receivers), seq, limit)]


async def own_newest(pool: Pool, receivers: Iterable[str], before: int | None, limit: int) -> list[Entry]:
    """The entries of ``receivers`` below ``before``, newest first; one per event."""
    return [Entry(*row) for row in await pool.fetch(_NEWEST, list(receivers), before, limit)]


def forgetting(after: timedelta) -> Callable[[Connection, int], Awaitable[Batch]]:
    """A sweep's step that forgets entries older than ``after``."""
    return through("stream_entry", _FORGET, after)
