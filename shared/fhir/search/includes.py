"""``_include`` and ``_revinclude`` for one page, both directions in one statement; and again for ``:iterate``
(http://hl7.org/fhir/R4/search.html#include)."""

from collections.abc import Container, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from shared.errors import Invalid
from shared.fhir.json import loads
from shared.fhir.search.access import Access, condition
from shared.fhir.search.extract import values_at
from shared.fhir.search.links import may_refer
from shared.fhir.search.parameters import parameters_of
from shared.fhir.search.params.reference import local
from shared.fhir.search.query import Include, Query
from shared.store.condition import as_column
from shared.store.database import Connection, Pool
from shared.store.indexing import identity, link_term, term
from shared.store.resources import Stored
from shared.store.size import within

MOST_INCLUDED = 5_000
MOST_ROUNDS = 8
"""References that includes follow one after the other."""


async def included(
    connection: Connection | Pool, query: Query, matches: Sequence[Stored], access: Access
) -> tuple[Stored, ...]:
    """What the includes bring in, each once, without the matches themselves; one round trip, and one for each round
    of ``:iterate`` that still finds something to ask for.

    Raises ``Invalid`` (too costly) beyond ``MOST_INCLUDED`` resources, ``MOST_ROUNDS`` or the ``most_bytes`` of the
    query: to leave some out silently would mislead."""
    known = {(match.type, match.id) for match in matches}
    found: list[Stored] = []
    includes: Sequence[Include] = query.includes
    newest: Sequence[Stored] = matches
    for _ in range(MOST_ROUNDS):
        wanted = _Wanted()
        for stored in newest:
            wanted.add(stored, includes, known)
        if wanted.nothing:
            return tuple(found)
        left = query.most_bytes - sum(len(each.body) for each in found)
        newest = [each for each in await _round(connection, wanted, access, left) if (each.type, each.id) not in known]
        known.update((each.type, each.id) for each in newest)
        found += newest
        if len(found) > MOST_INCLUDED:
            raise _too_many()
        includes = [include for include in query.includes if include.iterate]
    if newest and includes:
        raise _too_many()
    return tuple(found)


class _Wanted:
    """What one round asks for: resources by type and id, and those of a type that carry a term."""

    def __init__(self) -> None:
        self.forward: dict[tuple[str, str], None] = {}
        self.backward: dict[tuple[str, int], None] = {}

    @property
    def nothing(self) -> bool:
        """Whether the round has nothing to ask for."""
        return not self.forward and not self.backward

    def add(self, stored: Stored, includes: Iterable[Include], known: Container[tuple[str, str]]) -> None:
        """What ``includes`` want because of ``stored``, without what is ``known``."""
        resource: Any = None
        for include in includes:
            if include.reverse:
                if may_refer(include.parameter, stored.type) and include.target in ("", stored.type):
                    key = link_term(include.parameter.key, identity(stored.type, stored.id))
                    self.backward[include.parameter.type, key] = None
            elif include.parameter.type == stored.type:
                resource = loads(stored.body) if resource is None else resource
                self.forward |= {target: None for target in _targets(include, resource) if target not in known}
                self.backward |= dict.fromkeys(_canonical(include, resource))


async def _round(connection: Connection | Pool, wanted: _Wanted, access: Access, most_bytes: int) -> list[Stored]:
    forward, backward = list(wanted.forward), list(wanted.backward)
    sources = [type_ for type_, _ in backward]
    arguments: list[Any] = [[type_ for type_, _ in forward], [id_ for _, id_ in forward]]
    arguments += [sources, [key for _, key in backward], max(most_bytes, 1)]
    allowed, further = as_column(condition(access, [type_ for type_, _ in forward] + sources), 6)
    rows = await connection.fetch(_statement(allowed), *arguments, *further)
    if len(rows) > MOST_INCLUDED or (rows and rows[-1][4] is None):
        raise _too_many()
    found = {(row[0], row[1]): Stored(row[0], row[1], row[2], row[3], False, row[4]) for row in rows}
    return list(found.values())


def _too_many() -> Invalid:
    return Invalid("The includes bring in too many resources; ask for fewer per page.", code="too-costly")


def _targets(include: Include, resource: Any) -> list[tuple[str, str]]:
    targets = []
    for path in include.parameter.paths:
        if path.type == "Reference":
            for value in values_at(resource, path):
                target = local(value.get("reference") or "")
                if target and include.target in ("", target[0]):
                    targets.append(target)
    return targets


def _canonical(include: Include, resource: Any) -> Iterator[tuple[str, int]]:
    """The types and ``url`` terms of what ``resource`` names by canonical URL, whichever version it names."""
    for path in include.parameter.paths:
        if path.type == "canonical":
            for value in values_at(resource, path):
                for type_ in include.parameter.targets:
                    url = parameters_of(type_).get("url")
                    if url is not None and include.target in ("", type_):
                        yield type_, term(type_, url.slot, value.partition("|")[0])


@lru_cache(maxsize=64)
def _statement(allowed: str) -> str:
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
    return f"SELECT i.type, i.id, i.version, i.last_updated, {within('i.body', '$5::bigint')} FROM ({few}) i"
