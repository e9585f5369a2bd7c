"""One page of a search: the matches in one round trip, what they include in one more."""

from dataclasses import dataclass

import asyncpg

from shared.fhir.search.access import EVERYTHING, Access, restricted
from shared.fhir.search.includes import included
from shared.fhir.search.query import Cursor, Query
from shared.fhir.search.snapshot import LONGEST_WRITE, Snapshot
from shared.fhir.search.statement import page_statement
from shared.fhir.search.total import total_of
from shared.store.database import Connection, Pool
from shared.store.resources import Stored


@dataclass(frozen=True, slots=True)
class Page:
    """The matches in order, what they include, where the next page starts (None: nowhere), and the total if known."""

    matches: tuple[Stored, ...] = ()
    included: tuple[Stored, ...] = ()
    next: Cursor | None = None
    total: int | None = None


async def find(connection: Connection | Pool, query: Query, access: Access = EVERYTHING) -> Page:
    """The page that ``query`` asks for. ``access`` holds for matches, includes and the total alike.

    A page of large resources ends early, with its next page behind it. Raises ``Invalid`` when the includes are too
    many or too large."""
    query = restricted(query, access)
    if query.count == 0:
        return Page(total=await total_of(connection, query))
    statement, arguments = page_statement(query)
    rows = await connection.fetch(statement, *arguments)
    if any(row[4] is None for row in rows[: query.count]):
        # seldom: a body is so large that only what is before it tells whether it has room
        statement, arguments = page_statement(query, exact=True)
        rows = await connection.fetch(statement, *arguments)
    type_ = query.type
    matches = tuple(
        Stored(type_, row[1], row[2], row[3], False, row[4]) for row in rows[: query.count] if row[4] is not None
    )
    following = None
    if len(rows) > len(matches):
        last = rows[len(matches) - 1]
        following = Cursor(tuple(last[5 : 5 + len(query.sort)]), last[0], _snapshot(query, last))
    total = None
    if query.total:
        complete = len(rows) <= query.count and query.cursor is None
        total = len(rows) if complete else await total_of(connection, query)
    return Page(matches, await included(connection, query, matches, access), following, total)


def _snapshot(query: Query, row: asyncpg.Record) -> Snapshot | None:
    """What the first page saw: handed on from page to page."""
    if not query.moves:
        return None
    if query.cursor is not None and query.cursor.snapshot is not None:
        return query.cursor.snapshot
    return Snapshot(row[-1], query.now - LONGEST_WRITE)
