"""``_include`` and ``_revinclude`` for one page, both directions in one statement."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from shared.errors import Invalid
from shared.fhir.json import loads
from shared.fhir.search.access import Access, condition
from shared.fhir.search.extract import values_at
from shared.fhir.search.params.reference import local
from shared.fhir.search.query import Include, Query
from shared.store.condition import as_column
from shared.store.database import Connection, Pool
from shared.store.indexing import identity, link_term
from shared.store.resources import Stored
from shared.store.size import within

MOST_INCLUDED = 5_000


async def included(
    connection: Connection | Pool, query: Query, matches: Sequence[Stored], access: Access
) -> tuple[Stored, ...]:
    """What the includes bring in, each once, without the matches themselves.

    Raises ``Invalid`` (too costly) beyond ``MOST_INCLUDED`` resources or the query's ``most_bytes``: to leave some out
    silently would mislead."""
    if not matches or not query.includes:
        return ()
    forward = _referred_to(query, matches)
    backward = [
        link_term(include.parameter.key, identity(match.type, match.id))
        for include in query.includes
        if include.reverse
        for match in matches
    ]
    sources = [include.parameter.type for include in query.includes if include.reverse for _ in matches]
    if not forward and not backward:
        return ()
    arguments: list[Any] = [[type_ for type_, _ in forward], [id_ for _, id_ in forward], sources, backward]
    allowed, further = as_column(condition(access, [type_ for type_, _ in forward] + sources), 5)
    rows = await connection.fetch(_statement(allowed, query.most_bytes), *arguments, *further)
    if len(rows) > MOST_INCLUDED or (rows and rows[-1][4] is None):
        raise Invalid("The includes bring in too many resources; ask for fewer per page.", code="too-costly")
    known = {(match.type, match.id) for match in matches}
    found = {(row[0], row[1]): Stored(row[0], row[1], row[2], row[3], False, row[4]) for row in rows}
    return tuple(stored for key, stored in found.items() if key not in known)


def _referred_to(query: Query, matches: Sequence[Stored]) -> list[tuple[str, str]]:
    """(type, id) of what the matches refer to by the ``_include`` parameters of their type."""
    wanted: dict[tuple[str, str], None] = {}
    includes = [i for i in query.includes if not i.reverse and i.parameter.type == query.type]
    if includes:
        for match in matches:
            resource = loads(match.body)
            for include in includes:
                for target in _targets(include, resource):
                    wanted[target] = None
    return list(wanted)


def _targets(include: Include, resource: Any) -> list[tuple[str, str]]:
    targets = []
    for path in include.parameter.paths:
        if path.type == "Reference":
            for value in values_at(resource, path):
                target = local(value.get("reference") or "")
                if target and include.target in ("", target[0]):
                    targets.append(target)
    return targets


@lru_cache(maxsize=64)
def _statement(allowed: str, most_bytes: int) -> str:
    row = "SELECT r.type, r.id, r.version, r.last_updated, r.body FROM"
    forward = (
        f"{row} unnest($1::text[], $2::text[]) AS w(type, id) CROSS JOIN LATERAL"
        f" (SELECT * FROM resource r WHERE r.type = w.type AND r.id = w.id AND NOT r.deleted AND {allowed} OFFSET 0) r"
    )
    backward = (
        f"{row} (SELECT DISTINCT t.rid, w.type FROM unnest($3::text[], $4::bigint[]) AS w(type, term)"
        f" CROSS JOIN LATERAL (SELECT d.rid FROM index_term d WHERE d.term = w.term OFFSET 0) t) w CROSS JOIN LATERAL"
        f" (SELECT * FROM resource r WHERE r.rid = w.rid AND r.type = w.type AND NOT r.deleted"
        f" AND {allowed} OFFSET 0) r"
    )
    few = f"SELECT * FROM ({forward} UNION ALL {backward}) every LIMIT {MOST_INCLUDED + 1}"
    return f"SELECT i.type, i.id, i.version, i.last_updated, {within('i.body', most_bytes)} FROM ({few}) i"
