"""The resources of one type as they were at a snapshot, in SQL: what an export reads.

A row that was changed since the snapshot gives the version that the snapshot saw, from the history; a row that it did
not see at all is left out. So every part of an export sees one and the same moment, however long it takes and whoever
reads it. First row numbers are listed, from the index that fits the request; then the rows are read, a bounded page at
a time: one ordered statement would tempt the planner to walk through the whole type (docs/adr/0003-search-layout.md).
"""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from shared.fhir.bulk.asked import Asked, Scope
from shared.fhir.compartment import patients_of, terms_of
from shared.fhir.json import loads
from shared.fhir.search.access import EVERYTHING, Access, condition
from shared.fhir.search.snapshot import LONGEST_WRITE, Sight
from shared.store.condition import as_column
from shared.store.database import Connection, Pool
from shared.store.size import within

LISTED = 10_000
"""Row numbers at a time."""
PAGE, PAGE_BYTES = 500, 8 * 1024 * 1024
"""Rows and bytes of bodies at a time; the row that passes the limit is still taken."""


@dataclass(frozen=True, slots=True)
class Found:
    """A resource as of the snapshot. ``body`` is what is served; of a deletion it is what was deleted, if known."""

    rid: int
    id: str
    deleted: bool
    body: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """What was found among the rows up to ``rid``."""

    found: tuple[Found, ...]
    rid: int


async def candidates(
    connection: Connection | Pool, asked: Asked, at: datetime, type_: str, after: int, limit: int = LISTED
) -> list[int]:
    """Up to ``limit`` row numbers above ``after``, in order: all that an export may have to look at."""
    unsettled = at - LONGEST_WRITE
    arguments: list[Any] = [type_, after, unsettled, limit]
    mode = "all"
    if asked.since is not None:
        arguments[2] = min(unsettled, asked.since - LONGEST_WRITE)
        mode = "since"
    elif asked.patients is not None:
        arguments += [list(asked.patients), terms_of(type_, asked.patients)]
        mode = "patients"
    return [row[0] for row in await connection.fetch(_LISTS[mode], *arguments)]


_OURS = "SELECT r.rid FROM resource r WHERE r.type = $1 AND r.rid > $2"
# both have an index of their own
_CHANGED = f"{_OURS} AND NOT r.deleted AND r.last_updated > $3 UNION ALL {_OURS} AND r.deleted AND r.last_updated > $3"
_LISTS = {
    "all": f"{_OURS} AND (NOT r.deleted OR r.last_updated > $3) ORDER BY r.rid LIMIT $4",
    "since": f"SELECT rid FROM ({_CHANGED} OFFSET 0) c ORDER BY rid LIMIT $4",
    "patients": (
        f"SELECT DISTINCT rid FROM ({_OURS} AND NOT r.deleted AND r.patient = ANY ($5::text[])"
        " UNION ALL SELECT t.rid FROM index_term t WHERE t.term = ANY ($6::bigint[]) AND t.rid > $2"
        f" UNION ALL {_CHANGED} OFFSET 0) c ORDER BY rid LIMIT $4"
    ),
}


async def page(
    connection: Connection | Pool,
    asked: Asked,
    at: datetime,
    snapshot: str,
    type_: str,
    rids: list[int],
    access: Access = EVERYTHING,
) -> Page:
    """The first of ``rids``, as many as fit into a page, as they were at ``snapshot``.

    ``access`` is asked of the row as it is now: what was taken from a caller's sight since is not shown any more."""
    arguments: list[Any] = [type_, rids[:PAGE], snapshot, at - LONGEST_WRITE]
    if asked.since is not None:
        arguments.append(asked.since)
        if asked.since_snapshot is not None:
            arguments += [asked.since_snapshot, asked.since - LONGEST_WRITE]
    shown, values = as_column(condition(access, (type_,)), len(arguments) + 1)
    arguments += values
    ask = _rows(asked.since is not None, asked.since_snapshot is not None, asked.scope, shown)
    rows = await connection.fetch(ask, *arguments)
    found = []
    last = rids[:PAGE][-1]
    for before, row in enumerate(rows):
        if row["body"] is None:
            last = rows[before - 1]["rid"]
            break
        if _wanted(asked, row):
            found.append(Found(row["rid"], row["id"], row["deleted"], row["body"]))
    return Page(tuple(found), last)


@lru_cache(maxsize=256)
def _rows(since: bool, known: bool, scope: Scope, shown: str) -> str:
    sight = Sight("$3::text", "$4::timestamptz")
    # a deletion has no body: who may hear of it is told by what was deleted
    was = (
        "CASE WHEN {deleted} THEN coalesce((SELECT b.body FROM resource_history b WHERE b.type = r.type AND b.id = r.id"
        " AND b.version < {version} AND b.method <> 'DELETE' ORDER BY b.version DESC LIMIT 1), ''::bytea)"
        " ELSE {body} END"
    )
    if scope is Scope.SYSTEM or not since:
        was = "{body}"
    now = was.format(deleted="r.deleted", version="r.version", body="r.body")
    before = was.format(deleted="h.method = 'DELETE'", version="h.version", body="h.body")
    seen = (
        f"SELECT false AS changed, r.last_updated, r.deleted, {now} AS body, r.xmin AS xmin WHERE {sight.unchanged()}"
        f" UNION ALL (SELECT true, h.last_updated, h.method = 'DELETE', {before}, h.xmin"
        f" FROM resource_history h WHERE {sight.changed()} AND h.type = r.type AND h.id = r.id AND {sight.sees('h')}"
        " ORDER BY h.version DESC LIMIT 1)"
    )
    conditions = [shown, "true" if since else "NOT v.deleted"]
    if since:
        newer = "v.last_updated > $5::timestamptz"
        if known:
            # committed after that export looked, though it was begun before
            late = Sight("$6::text", "$7::timestamptz")
            newer = f"({newer} OR (v.last_updated > $7::timestamptz AND NOT {late.sees('v')}))"
        conditions.append(newer)
    return (
        f"SELECT p.rid, p.id, p.patient, p.changed, p.deleted, {within('p.body', PAGE_BYTES)} FROM ("
        "SELECT r.rid, r.id, r.patient, v.changed, v.deleted, v.body"
        " FROM unnest($2::bigint[]) AS w(rid) JOIN resource r ON r.type = $1 AND r.rid = w.rid"
        f" CROSS JOIN LATERAL ({seen}) v WHERE {' AND '.join(conditions)} ORDER BY r.rid OFFSET 0) p"
    )


async def patients_seen(connection: Connection | Pool, patients: frozenset[str], access: Access) -> int:
    """How many of ``patients`` are there and may be seen."""
    shown, values = as_column(condition(access, ("Patient",)), 2)
    found: int = await connection.fetchval(
        "SELECT count(*) FROM resource r WHERE r.type = 'Patient' AND r.id = ANY ($1::text[]) AND NOT r.deleted"
        f" AND {shown}",
        list(patients),
        *values,
    )
    return found


def _wanted(asked: Asked, row: Any) -> bool:
    """Whether it was in a compartment that was asked for.

    The column says so of what is there unchanged; of all else the body does."""
    if asked.scope is Scope.SYSTEM:
        return True
    if not row["changed"] and row["patient"] is not None and asked.holds((row["patient"],)):
        return True
    return bool(row["body"]) and asked.holds(patients_of(loads(row["body"])))
