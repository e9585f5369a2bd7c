"""One page of a history from PostgreSQL: newest first, by keyset.

One resource's versions are read along their key. Those of a type or of the whole come in the order of ``lastUpdated``
and row number, as the first page saw them: a write that commits later may be older than what was shown already, and is
left out of the later pages. ``Page.settled`` tells from when on to ask again so as to miss none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import count as counted
from typing import Any

import asyncpg

from shared.clock import Clock
from shared.fhir.history.asked import Asked
from shared.fhir.history.cursor import Cursor, Place
from shared.fhir.search.predicates import Bind
from shared.fhir.search.snapshot import COLUMN, LONGEST_WRITE, Sight, Snapshot
from shared.store.condition import Condition, as_column
from shared.store.database import Connection, Pool
from shared.store.resources import Past, Stored
from shared.store.size import MOST_BYTES, within

WALKED = 10_000
"""Versions that one statement looks at where it must look for those that count."""
MOST_WALKS = 10
_LARGEST_VERSION = 2_147_483_647
_LARGEST_SEQ = 2**63 - 1
_END_OF_TIME = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Page:
    """Versions, newest first; where the next page starts (None: nowhere); how many there are in all, where known."""

    versions: tuple[Past, ...]
    settled: datetime
    """What was made until then was certainly committed when this page (or the first one) was read."""
    next: Cursor | None = None
    first: Cursor | None = None
    """Of a type and of the whole: where the first page starts, as it was seen now."""
    total: int | None = None


async def find(
    connection: Connection | Pool, scope: Sequence[str], asked: Asked, seen: Condition | None, clock: Clock
) -> Page:
    """The page of ``scope``: ``()`` for the whole, ``(type,)``, ``(type, id)``; ``seen`` judges current versions."""
    settled = clock() - LONGEST_WRITE
    if len(scope) == 2:
        return await _of_one(connection, (scope[0], scope[1]), asked, seen, settled)
    start = asked.cursor if isinstance(asked.cursor, Place) else None
    snapshot = start.snapshot if start else None
    found: list[tuple[Past, Place]] = []
    held = 0
    for _ in range(MOST_WALKS):
        rows = await _walk(connection, scope, asked, start, asked.count - len(found), seen)
        if rows and snapshot is None:
            snapshot = Snapshot(rows[0]["seen"], settled)
        kept = [row for row in rows[: asked.count - len(found)] if row["body"] is not None]
        for row in kept:
            assert snapshot is not None
            found.append((_past(row), Place(row["last_updated"], row["seq"], snapshot)))
            held += len(row["body"])
        settled = snapshot.horizon if snapshot else settled
        if len(rows) > len(kept):
            return _page(found, asked, settled, snapshot, found[-1][1] if found else None)
        end = await _end_of_walk(connection, scope, asked, start) if asked.at or seen else None
        if end is None:
            return _page(found, asked, settled, snapshot, None)
        snapshot = snapshot or Snapshot(end["seen"], settled)
        start = Place(end["last_updated"], end["seq"], snapshot)
        if len(found) >= asked.count or held >= MOST_BYTES:
            break
    return _page(found, asked, settled, snapshot, start)


def _page(
    found: list[tuple[Past, Place]], asked: Asked, settled: datetime, snapshot: Snapshot | None, following: Place | None
) -> Page:
    first = None if asked.cursor or snapshot is None else Place(_END_OF_TIME, _LARGEST_SEQ, snapshot)
    return Page(tuple(past for past, _ in found), settled, following, first)


async def _walk(
    connection: Connection | Pool,
    scope: Sequence[str],
    asked: Asked,
    start: Place | None,
    count: int,
    seen: Condition | None,
) -> list[asyncpg.Record]:
    """One row more than ``count``, where there is one; the bodies beyond ``MOST_BYTES`` are NULL."""
    arguments = [*_bounds(scope, asked, start), *(asked.at or ()), count + 1]
    shown, more = as_column(seen, len(arguments) + 1)
    text = _statement(len(scope), asked.since is not None, asked.at is not None, start is not None, shown)
    rows: list[asyncpg.Record] = await connection.fetch(text, *arguments, *more)
    return rows


async def _end_of_walk(
    connection: Connection | Pool, scope: Sequence[str], asked: Asked, start: Place | None
) -> asyncpg.Record | None:
    """The last version that the walk from ``start`` looked at; None where it came to the end."""
    text = _end_statement(len(scope), asked.since is not None, asked.at is not None, start is not None)
    return await connection.fetchrow(text, *_bounds(scope, asked, start), *(asked.at[1:] if asked.at else ()))


def _bounds(scope: Sequence[str], asked: Asked, start: Place | None) -> list[Any]:
    place = () if start is None else (start.at, start.seq, start.snapshot.text, start.snapshot.horizon)
    return [*scope, *(() if asked.since is None else (asked.since,)), *place]


def _binder() -> Bind:
    numbers = counted(1)
    return lambda cast: f"${next(numbers)}::{cast}"


def _range(bind: Bind, levels: int, since: bool, continued: bool) -> str:
    """The conditions of a walk by ``_bounds``."""
    conditions = ["true"]
    if levels:
        conditions.append(f"h.type = {bind('text')}")
    if since:
        conditions.append(f"h.last_updated >= {bind('timestamptz')}")
    if continued:
        conditions.append(f"(h.last_updated, h.seq) < ({bind('timestamptz')}, {bind('bigint')})")
        conditions.append(Sight.taken(bind).made())
    return " AND ".join(conditions)


_NEWEST_FIRST = "ORDER BY h.last_updated DESC, h.seq DESC"


@lru_cache(maxsize=256)
def _statement(levels: int, since: bool, at: bool, continued: bool, shown: str) -> str:
    bind = _binder()
    where = _range(bind, levels, since, continued)
    conditions = ["true"]
    if at:
        low, high = bind("timestamptz"), bind("timestamptz")
        where += f" AND h.last_updated < {high}"
        conditions.append(_not_replaced(low))
    if shown != "true":
        conditions.append(_allowed(shown))
    source = f"SELECT h.* FROM resource_history h WHERE {where} {_NEWEST_FIRST}"
    if len(conditions) > 1:
        source = f"SELECT h.* FROM ({source} LIMIT {WALKED}) h WHERE {' AND '.join(conditions)}"
    seen = "NULL" if continued else COLUMN
    return (
        f"SELECT h.type, h.id, h.version, h.last_updated, h.method, h.seq, {within('h.body', MOST_BYTES)},"
        f" {seen} AS seen FROM ({source} LIMIT {bind('int')}) h"
    )


@lru_cache(maxsize=64)
def _end_statement(levels: int, since: bool, at: bool, continued: bool) -> str:
    bind = _binder()
    where = _range(bind, levels, since, continued)
    if at:
        where += f" AND h.last_updated < {bind('timestamptz')}"
    return (
        f"SELECT h.last_updated, h.seq, {COLUMN} AS seen FROM resource_history h WHERE {where} {_NEWEST_FIRST}"
        f" OFFSET {WALKED - 1} LIMIT 1"
    )


def _not_replaced(low: str) -> str:
    """Whether ``h`` was still current at ``low``. Versions have no gaps: the next one replaced it."""
    return (
        "NOT EXISTS (SELECT FROM resource_history n WHERE n.type = h.type AND n.id = h.id AND n.version = h.version + 1"
        f" AND n.last_updated <= {low} OFFSET 0)"
    )


def _allowed(shown: str) -> str:
    """Whether the current version of what ``h`` is a version of is ``shown``."""
    return f"EXISTS (SELECT FROM resource r WHERE r.type = h.type AND r.id = h.id AND {shown} OFFSET 0)"


async def _of_one(
    connection: Connection | Pool, key: tuple[str, str], asked: Asked, seen: Condition | None, settled: datetime
) -> Page:
    """The versions of one resource. ``total`` on the first page."""
    below = asked.cursor if isinstance(asked.cursor, int) else _LARGEST_VERSION
    since = () if asked.since is None else (asked.since,)
    arguments = [*key, *since, *(asked.at or ()), below, asked.count + 1]
    shown, more = as_column(seen, len(arguments) + 1)
    text = _statement_of_one(asked.since is not None, asked.at is not None, asked.cursor is not None, shown)
    rows = await connection.fetch(text, *arguments, *more)
    kept = [row for row in rows[: asked.count] if row["body"] is not None]
    total = None
    if asked.cursor is None:
        total = rows[0]["total"] if rows else 0
    following = kept[-1]["version"] if kept and len(rows) > len(kept) else None
    return Page(tuple(_past(row) for row in kept), settled, following, total=total)


@lru_cache(maxsize=64)
def _statement_of_one(since: bool, at: bool, continued: bool, shown: str) -> str:
    bind = _binder()
    conditions = [f"h.type = {bind('text')}", f"h.id = {bind('text')}"]
    if since:
        conditions.append(f"h.last_updated >= {bind('timestamptz')}")
    if at:
        conditions += [_not_replaced(bind("timestamptz")), f"h.last_updated < {bind('timestamptz')}"]
    if shown != "true":
        conditions.append(_allowed(shown))
    where = " AND ".join(conditions)
    total = "NULL" if continued else f"(SELECT count(*) FROM resource_history h WHERE {where})"
    return (
        f"SELECT h.type, h.id, h.version, h.last_updated, h.method, {within('h.body', MOST_BYTES)}, {total} AS total"
        f" FROM (SELECT h.* FROM resource_history h WHERE {where} AND h.version < {bind('int')}"
        f" ORDER BY h.version DESC LIMIT {bind('int')}) h"
    )


def _past(row: asyncpg.Record) -> Past:
    method = row["method"]
    stored = Stored(row["type"], row["id"], row["version"], row["last_updated"], method == "DELETE", row["body"])
    return Past(stored, method)
