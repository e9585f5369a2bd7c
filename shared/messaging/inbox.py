"""The inbox: at-least-once delivery becomes one effect, because the claim commits with the effect."""

from datetime import timedelta

from shared.store.database import Connection


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


async def prune(connection: Connection, retention: timedelta) -> int:
    """Forget claims older than ``retention``; how many. Keep them longer than a dead letter may wait for its replay."""
    status = await connection.execute(
        "DELETE FROM inbox WHERE handled_at < clock_timestamp() - $1::interval", retention
    )
    return int(str(status).split()[-1])
