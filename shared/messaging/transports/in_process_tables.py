"""The tables of the in-process transport, in a database of their own (``consilium_bus``).

They hold messages in transit and nothing that outlives them, so they are made where they are missing, without
migrations; plain SQL, so that a process that only serves loads no schema tools.
"""

from shared.store.database import Pool

CREATION_LOCK = 7_262_001
"""The advisory lock under which the tables are made; any constant does."""

_QUEUES = """
CREATE TABLE IF NOT EXISTS bus_queue (
    name text PRIMARY KEY,
    exchange text NOT NULL,
    pattern text NOT NULL
)
"""
"""A queue and the regular expression over ``<event type>.`` of what it hears."""

_MESSAGES = """
CREATE TABLE IF NOT EXISTS bus_message (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    queue text NOT NULL,
    event_id text NOT NULL,
    type text NOT NULL,
    traceparent text,
    body bytea NOT NULL,
    available_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    attempts integer NOT NULL DEFAULT 0,
    first_failed_at timestamptz,
    last_failed_at timestamptz,
    reason text,
    dead_at timestamptz
)
"""
"""One message in one queue. It is gone when it was handled, and dead (kept) when it was given up."""

_WAITING = "CREATE INDEX IF NOT EXISTS bus_message_waiting ON bus_message (queue, id) WHERE dead_at IS NULL"
_DEAD = "CREATE INDEX IF NOT EXISTS bus_message_dead ON bus_message (queue, id) WHERE dead_at IS NOT NULL"


async def create_tables(pool: Pool) -> None:
    """Make the tables where they are missing; safe from several processes at once."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", CREATION_LOCK)
        for statement in (_QUEUES, _MESSAGES, _WAITING, _DEAD):
            await connection.execute(statement)
