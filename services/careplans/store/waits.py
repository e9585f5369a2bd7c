"""How long one waits for each discipline, as the referrals' service told it last."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from shared.store.database import Connection, Pool

OLDEST = timedelta(days=2)
"""What was told longer ago says nothing about today."""
_KEEP = """
INSERT INTO discipline_wait (discipline, days, told_at) SELECT w.discipline, w.days, $3::timestamptz
FROM unnest($1::text[], $2::int[]) AS w(discipline, days)
ON CONFLICT (discipline) DO UPDATE SET days = EXCLUDED.days, told_at = EXCLUDED.told_at
WHERE discipline_wait.told_at < EXCLUDED.told_at
"""
_WAITS = "SELECT discipline, days FROM discipline_wait WHERE told_at > $1 AND days IS NOT NULL"
_NEWEST = "SELECT max(told_at) FROM discipline_wait"


async def keep(connection: Connection | Pool, waits: Mapping[str, int | None], now: datetime) -> None:
    """What was told now; None where nobody knows."""
    await connection.execute(_KEEP, list(waits), list(waits.values()), now)


async def known(connection: Connection | Pool, now: datetime) -> dict[str, int]:
    """Days by discipline, where they are known."""
    return {row["discipline"]: row["days"] for row in await connection.fetch(_WAITS, now - OLDEST)}


async def told_at(connection: Connection | Pool) -> datetime | None:
    """When it was told last."""
    at: datetime | None = await connection.fetchval(_NEWEST)
    return at
