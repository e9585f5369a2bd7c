"""Saved filters, by owner and name. Whoever writes holds the lock of them all: they are few, and seldom written."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from shared.store.database import Connection, Pool

_LOCK = 7_261_905_116
"""The advisory lock of who writes: counts and names shared with others are as they were read."""
_COLUMNS = "name, shared, version, wanted, changed_at, owner = $1 AS mine"
# one's own goes before what others share under the same name
_FIND = f"""
SELECT {_COLUMNS} FROM saved_filter WHERE name = $2 AND (owner = $1 OR (shared AND $3))
ORDER BY owner = $1 DESC LIMIT 1
"""
_LIST = f"SELECT {_COLUMNS} FROM saved_filter WHERE owner = $1 OR (shared AND $2) ORDER BY owner <> $1, name"
_COUNT = """
SELECT count(*) FILTER (WHERE owner = $1) AS own, count(*) FILTER (WHERE shared) AS shared,
    count(*) FILTER (WHERE shared AND name = $2 AND owner <> $1) AS taken
FROM saved_filter WHERE owner = $1 OR shared
"""
_KEEP = """
INSERT INTO saved_filter (owner, name, shared, version, wanted, changed_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (owner, name) DO UPDATE SET shared = EXCLUDED.shared, version = EXCLUDED.version,
    wanted = EXCLUDED.wanted, changed_at = EXCLUDED.changed_at
"""


@dataclass(frozen=True, slots=True)
class Saved:
    """One filter; ``wanted`` are the parameters of a worklist that are set."""

    name: str
    shared: bool
    version: int
    wanted: dict[str, Any]
    changed_at: datetime
    mine: bool = True


@dataclass(frozen=True, slots=True)
class Counts:
    """How many filters an owner has, how many are shared by all, and how many of those by others under one name."""

    own: int
    shared: int
    taken: int


async def lock(connection: Connection) -> None:
    """Let nobody else write until the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)


async def find(connection: Connection | Pool, owner: str, name: str, *, shared: bool) -> Saved | None:
    """The owner's own, else, if ``shared``, the one that somebody shares."""
    row = await connection.fetchrow(_FIND, owner, name, shared)
    return None if row is None else _saved(row)


async def listed(connection: Connection | Pool, owner: str, *, shared: bool) -> list[Saved]:
    """The owner's own, then, if ``shared``, those that others share."""
    return [_saved(row) for row in await connection.fetch(_LIST, owner, shared)]


async def counts(connection: Connection, owner: str, name: str) -> Counts:
    """How many there are."""
    row = await connection.fetchrow(_COUNT, owner, name)
    assert row is not None  # an aggregate without GROUP BY has one row
    return Counts(**row)


async def keep(connection: Connection, owner: str, saved: Saved) -> None:
    """Store it, in place of the owner's of that name."""
    wanted = msgspec.json.encode(saved.wanted).decode()
    await connection.execute(_KEEP, owner, saved.name, saved.shared, saved.version, wanted, saved.changed_at)


async def forget(connection: Connection, owner: str, name: str) -> None:
    """There is no such filter any more."""
    await connection.execute("DELETE FROM saved_filter WHERE owner = $1 AND name = $2", owner, name)


def _saved(row: Any) -> Saved:
    return Saved(**{**row, "wanted": msgspec.json.decode(row["wanted"])})
