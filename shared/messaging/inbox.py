"""The inbox: at-least-once delivery becomes one effect, because the claim commits with the effect."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from shared.store.database import Connection
from shared.store.sweeping import Batch, through


async def claim(connection: Connection, consumer: str, event_id: str) -> bool:
    """Whether ``consumer`` meets this event for the first time.

    Call it inside the effect's transaction: a rollback gives the claim back. A second claimer waits for the first one's
    commit or rollback, so two deliveries at the same moment have one effect too.
    """
    answer = await connection.fetchval(
        "INSERT INTO inbox (consumer, event_id) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING true",
        consumer,
        event_id,
    )
    return bool(answer)


def forgetting(retention: timedelta) -> Callable[[Connection, int], Awaitable[Batch]]:
    """A sweep's step that forgets claims older than ``retention``. What is older must not be handled any more."""
    return through("inbox", _FORGET, retention)


_FORGET = """
WITH gone AS (DELETE FROM inbox d WHERE {reach} AND d.handled_at < now() - $3::interval RETURNING 1)
SELECT count(*) FROM gone
"""


async def prune(connection: Connection, retention: timedelta) -> int:
    """Forget all claims older than ``retention``; how many."""
    step, deleted, position = forgetting(retention), 0, 0
    while True:
        batch = await step(connection, position)
        deleted += batch.deleted
        if batch.position is None:
            return deleted
        position = batch.position
