"""Dead letters of the in-process transport: rows of ``bus_message`` with the moment at which they were given up."""

from collections.abc import Collection

from shared.errors import NotFound
from shared.messaging.transport import DeadLetter
from shared.store.database import Connection

FIND = """
SELECT event_id, queue, type, reason, attempts, first_failed_at, last_failed_at, traceparent, body FROM bus_message
WHERE queue = $1 AND dead_at IS NOT NULL AND ($2::text IS NULL OR event_id = $2) ORDER BY id LIMIT $3
"""
REPLAY = """
WITH again AS (
    UPDATE bus_message SET dead_at = NULL, attempts = 0, reason = NULL, first_failed_at = NULL, last_failed_at = NULL,
        available_at = clock_timestamp()
    WHERE queue = $1 AND dead_at IS NOT NULL AND ($2::text[] IS NULL OR event_id = ANY($2)) RETURNING 1
)
SELECT count(*), pg_notify($3, $1) FROM again
"""


async def require(connection: Connection, queue: str) -> None:
    """Raise ``NotFound`` when ``queue`` was never declared."""
    if not await connection.fetchval("SELECT true FROM bus_queue WHERE name = $1", queue):
        raise NotFound("no such queue")


async def find(connection: Connection, queue: str, *, id: str | None = None, limit: int) -> list[DeadLetter]:
    """Dead letters of ``queue``, oldest first; only that of event ``id`` when given. Raises ``NotFound``."""
    await require(connection, queue)
    return [
        DeadLetter(
            id=row["event_id"],
            queue=row["queue"],
            type=row["type"],
            reason=row["reason"],
            attempts=row["attempts"],
            first_failed_at=row["first_failed_at"],
            last_failed_at=row["last_failed_at"],
            traceparent=row["traceparent"],
            body=row["body"],
        )
        for row in await connection.fetch(FIND, queue, id, limit)
    ]


async def replay(connection: Connection, queue: str, ids: Collection[str] | None, channel: str) -> int:
    """Give dead letters a clean record and wake the consumers on ``channel``; how many. Raises ``NotFound``."""
    await require(connection, queue)
    return int(await connection.fetchval(REPLAY, queue, None if ids is None else list(ids), channel))
