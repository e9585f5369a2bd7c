"""The preferences' table. Addresses and secrets go in and out here and nowhere else."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg

from services.notifications.domain.preferences import Channel, Preference
from shared.store.database import Connection, Pool

_COLUMNS = "receiver, channel, enabled, address, secret, reason"
_SET = f"""
INSERT INTO receiver_preference (receiver, channel, address, secret, enabled, updated_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (receiver, channel) DO UPDATE SET address = excluded.address, enabled = excluded.enabled, reason = NULL,
    secret = coalesce(excluded.secret, receiver_preference.secret), updated_at = excluded.updated_at
RETURNING {_COLUMNS}
"""
_LIST = f"SELECT {_COLUMNS} FROM receiver_preference WHERE receiver = ANY($1::text[]) ORDER BY receiver, channel"
_REMOVE = "DELETE FROM receiver_preference WHERE receiver = $1 AND channel = $2"
_SWITCH_OFF = """
UPDATE receiver_preference SET enabled = false, reason = $4, updated_at = $5
WHERE receiver = $1 AND channel = $2 AND address = $3 AND enabled
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """A preference as kept. ``repr`` hides address and secret."""

    preference: Preference
    address: str | None = field(repr=False)
    secret: str | None = field(repr=False)
    reason: str | None = None


def _kept(row: asyncpg.Record) -> Kept:
    wish = Preference(row["receiver"], Channel(row["channel"]), row["enabled"])
    return Kept(wish, row["address"], row["secret"], row["reason"])


async def put(pool: Pool, wish: Preference, address: str | None, secret: str | None, at: datetime) -> Kept:
    """Set one; no ``secret`` leaves the one that is there."""
    row = await pool.fetchrow(_SET, wish.receiver, wish.channel, address, secret, wish.enabled, at)
    assert row is not None, "an upsert returns its row"
    return _kept(row)


async def of(source: Connection | Pool, receivers: Iterable[str]) -> Mapping[str, list[Kept]]:
    """The preferences of each of ``receivers`` that has any."""
    found: dict[str, list[Kept]] = {}
    for row in await source.fetch(_LIST, list(receivers)):
        found.setdefault(row["receiver"], []).append(_kept(row))
    return found


async def remove(pool: Pool, receiver: str, channel: Channel) -> bool:
    """Forget one; whether it was there."""
    return bool(await pool.execute(_REMOVE, receiver, channel) == "DELETE 1")


async def switch_off(
    connection: Connection, receiver: str, channel: Channel, address: str, reason: str, at: datetime
) -> None:
    """Switch one off for ``reason``, unless it leads elsewhere by now."""
    await connection.execute(_SWITCH_OFF, receiver, channel, address, reason, at)
