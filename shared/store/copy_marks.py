"""Until when the copies of a type are complete, and which worker is looking. One at a time, by a lease."""

from datetime import datetime, timedelta

from shared.store.database import Pool

LEASE = timedelta(seconds=60)
"""Longer than a page takes; whoever is killed is followed by another after it."""

_MAKE = "INSERT INTO copy_mark (type) VALUES ($1) ON CONFLICT DO NOTHING"
_TAKE = (
    "UPDATE copy_mark SET lease_until = now() + $3::interval WHERE type = $1"
    " AND coalesce(lease_until, '-infinity') < now() AND (until IS NULL OR until < now() - $2::interval)"
    " RETURNING coalesce(until, '-infinity')"
)
_RENEW = "UPDATE copy_mark SET lease_until = now() + $2::interval WHERE type = $1"
_DONE = "UPDATE copy_mark SET until = $2, lease_until = NULL WHERE type = $1"
NEVER = datetime.min
"""The mark of a type that was never copied."""


async def take(pool: Pool, type_: str, every: timedelta) -> datetime | None:
    """The mark of ``type_``, where it is older than ``every`` and nobody else is at it; else None."""
    await pool.execute(_MAKE, type_)
    mark: datetime | None = await pool.fetchval(_TAKE, type_, every, LEASE)
    return NEVER if mark is not None and mark.replace(tzinfo=None) == NEVER else mark


async def renew(pool: Pool, type_: str) -> None:
    """Stay at ``type_`` for another ``LEASE``."""
    await pool.execute(_RENEW, type_, LEASE)


async def done(pool: Pool, type_: str, until: datetime) -> None:
    """All of ``type_`` until then is copied."""
    await pool.execute(_DONE, type_, until)
