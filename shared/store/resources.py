"""Resources in PostgreSQL: read, lock, write, look back. The callers own the transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.store.condition import Condition, as_column
from shared.store.database import Connection, Pool
from shared.store.size import MOST_BYTES, within
from shared.store.write import OutboxRow, Outcome, Write, write_statement


@dataclass(frozen=True, slots=True)
class Stored:
    """One version of a resource as stored; a deletion has an empty body."""

    type: str
    id: str
    version: int
    last_updated: datetime
    deleted: bool
    body: bytes


@dataclass(frozen=True, slots=True)
class Past:
    """One entry of a history: the version and the method that made it."""

    stored: Stored
    method: str


_READ = "SELECT r.version, r.last_updated, r.deleted, r.body FROM resource r WHERE r.type = $1 AND r.id = $2"
_VREAD = "SELECT last_updated, method, body FROM resource_history WHERE type = $1 AND id = $2 AND version = $3"
_HISTORY = (
    f"SELECT h.version, h.last_updated, h.method, {within('h.body', MOST_BYTES)} FROM ("
    "SELECT version, last_updated, method, body FROM resource_history"
    " WHERE type = $1 AND id = $2 AND version < $3{} ORDER BY version DESC LIMIT $4) h"
)
_MANY = (
    "SELECT r.type, r.id, r.version, r.last_updated, r.deleted, r.body{}"
    " FROM unnest($1::text[], $2::text[]) AS w(type, id) JOIN resource r ON r.type = w.type AND r.id = w.id"
)
# whoever refers to a row holds it FOR KEY SHARE: that goes beside a change, but not beside a deletion
_LOCK = _MANY + " ORDER BY r.type, r.id FOR NO KEY UPDATE OF r"
_LOCK_TO_DELETE = _MANY + " ORDER BY r.type, r.id FOR UPDATE OF r"
_EVENTS = (
    "INSERT INTO outbox (event_id, type, subject, envelope, created_at)"
    " SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::timestamptz[])"
)
_PRESENT = (
    "SELECT r.type, r.id FROM unnest($1::text[], $2::text[]) AS w(type, id)"
    " JOIN resource r ON r.type = w.type AND r.id = w.id WHERE NOT r.deleted FOR KEY SHARE OF r"
)
_REFERRING = (
    "SELECT r.type, r.id, r.version, r.last_updated, r.deleted, r.body FROM index_term d"
    " JOIN resource r ON r.rid = d.rid WHERE d.term = $2 AND r.type = $1 AND NOT r.deleted ORDER BY d.rid"
)
_REFERRERS = (
    "SELECT d.term FROM index_term d WHERE d.term = ANY ($1::bigint[]) AND NOT EXISTS"
    " (SELECT FROM resource r WHERE r.rid = d.rid AND r.type = ANY ($2::text[])) LIMIT 1"
)


async def read(connection: Connection | Pool, type_: str, id_: str, *, seen: Condition | None = None) -> Stored | None:
    """The current version, a deletion included; None if there never was one, or none that is ``seen``."""
    if seen is None:
        row = await connection.fetchrow(_READ, type_, id_)
    else:
        row = await connection.fetchrow(f"{_READ} AND {seen.text(3)}", type_, id_, *seen.arguments)
    return None if row is None else Stored(type_, id_, row[0], row[1], row[2], row[3])


async def lock(
    connection: Connection,
    keys: Iterable[tuple[str, str]],
    *,
    to_delete: bool = False,
    seen: Condition | None = None,
) -> dict[tuple[str, str], Stored | None]:
    """``read_many`` by key, holding the rows until the transaction ends; None is a row that is not ``seen``.

    All who lock take them in the same order."""
    pairs = list(keys)
    shown, arguments = as_column(seen, 3)
    statement = (_LOCK_TO_DELETE if to_delete else _LOCK).format(f", {shown}")
    rows = await connection.fetch(statement, [type_ for type_, _ in pairs], [id_ for _, id_ in pairs], *arguments)
    return {(row[0], row[1]): Stored(*row[:6]) if row[6] else None for row in rows}


async def read_many(
    connection: Connection | Pool, keys: Iterable[tuple[str, str]], *, seen: Condition | None = None
) -> list[Stored]:
    """The current versions of those of ``keys`` that exist and are ``seen``, in one round trip."""
    pairs = list(keys)
    shown, arguments = as_column(seen, 3)
    text = _MANY.format("") + (f" WHERE {shown}" if seen else "")
    rows = await connection.fetch(text, [type_ for type_, _ in pairs], [id_ for _, id_ in pairs], *arguments)
    return [Stored(*row) for row in rows]


async def vread(
    connection: Connection | Pool, type_: str, id_: str, version: int, *, seen: Condition | None = None
) -> Past | None:
    """One past (or the current) version; None, too, where the resource as it is now is not ``seen``."""
    shown, arguments = _shown(seen, 4)
    row = await connection.fetchrow(_VREAD + shown, type_, id_, version, *arguments)
    if row is None:
        return None
    return Past(Stored(type_, id_, version, row[0], row[1] == "DELETE", row[2]), row[1])


async def history(
    connection: Connection | Pool, type_: str, id_: str, *, below: int, limit: int, seen: Condition | None = None
) -> list[Past]:
    """Versions below ``below``, newest first, at most ``limit`` and no more than ``MOST_BYTES`` hold (at least one).

    None where the resource as it is now is not ``seen``."""
    shown, arguments = _shown(seen, 5)
    rows = await connection.fetch(_HISTORY.format(shown), type_, id_, below, limit, *arguments)
    return [
        Past(Stored(type_, id_, row[0], row[1], row[2] == "DELETE", row[3]), row[2])
        for row in rows
        if row[3] is not None
    ]


def _shown(seen: Condition | None, first: int) -> tuple[str, tuple[Any, ...]]:
    """The condition, on a statement over the history of one resource, that its row is seen."""
    if seen is None:
        return "", ()
    row = f"SELECT FROM resource r WHERE r.type = $1 AND r.id = $2 AND {seen.text(first)}"
    return f" AND EXISTS ({row})", seen.arguments


async def write(
    connection: Connection | Pool,
    writes: Sequence[Write],
    events: Sequence[OutboxRow],
    references: Sequence[tuple[str, str]],
    *,
    wait: bool = True,
) -> Outcome:
    """Write all of it in one statement, or nothing where a reference is missing; compare ``Outcome.written``."""
    statement, arguments = write_statement(writes, events, references, wait=wait)
    row: Any = await connection.fetchrow(statement, *arguments)
    present = row["present"] if references else None
    return Outcome(row["written"], frozenset((type_, id_) for type_, id_ in present or ()))


async def write_copies(connection: Connection | Pool, copies: Sequence[Write]) -> int:
    """Write those of ``copies`` that are newer than what is here; how many. Each is of another resource of others."""
    statement, arguments = write_statement(copies, (), (), copies=True)
    row: Any = await connection.fetchrow(statement, *arguments)
    written: int = row["written"]
    return written


async def add_events(connection: Connection, events: Sequence[OutboxRow]) -> None:
    """Events without a resource write beside them."""
    rows = ((e.event_id, e.type, e.subject, e.envelope, e.created_at) for e in events)
    await connection.execute(_EVENTS, *(list(column) for column in zip(*rows, strict=True)))


async def present(connection: Connection | Pool, keys: Sequence[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    """Those of ``keys`` that exist, locked against deletion until the transaction ends."""
    rows = await connection.fetch(_PRESENT, [type_ for type_, _ in keys], [id_ for _, id_ in keys])
    return frozenset((row[0], row[1]) for row in rows)


async def referring(connection: Connection | Pool, type_: str, term: int) -> list[Stored]:
    """The resources of ``type_`` that carry ``term`` (the key of a reference to some target), in order of arrival."""
    return [Stored(*row) for row in await connection.fetch(_REFERRING, type_, term)]


async def referred_to(connection: Connection, terms: Sequence[int], *, beside: Iterable[str] = ()) -> int | None:
    """One of ``terms`` (the keys of references to some targets) that a resource which is not deleted carries; or None.

    Those of the types ``beside`` do not count."""
    answer: int | None = await connection.fetchval(_REFERRERS, list(terms), list(beside))
    return answer
