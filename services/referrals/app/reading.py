"""Reading many resources of this service at once, as far as the caller may see them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from shared.engine import Engine
from shared.fhir.json import Resource, loads
from shared.fhir.search.access import Access, condition
from shared.fhir.search.page import find
from shared.fhir.search.query import Query
from shared.store import resources

_MOST_AT_ONCE = 400
"""References in one search."""


async def all_of(
    engine: Engine, access: Access, query: Query, *, most: int | None = None
) -> tuple[list[Resource], bool]:
    """The matches on all pages of ``query``, or on the first ``most``; and whether those are all."""
    found: list[Resource] = []
    pages = 0
    while True:
        page = await find(engine.pool, query, access)
        found += [loads(stored.body) for stored in page.matches]
        pages += 1
        if page.next is None:
            return found, True
        if pages == most:
            return found, False
        query = replace(query, cursor=page.next)


async def read_all(engine: Engine, access: Access, references: Iterable[str]) -> dict[str, Resource]:
    """Those of ``references`` that there are, copies too, in one round trip."""
    keys = sorted((type_, id_) for type_, _, id_ in (reference.partition("/") for reference in references))
    if not keys:
        return {}
    seen = condition(access, {type_ for type_, _ in keys})
    found = await resources.read_many(engine.pool, keys, seen=seen)
    return {f"{stored.type}/{stored.id}": loads(stored.body) for stored in found if not stored.deleted}


def chunks(references: Sequence[str]) -> Iterable[Sequence[str]]:
    """``references`` in parts that one search takes."""
    return (references[first : first + _MOST_AT_ONCE] for first in range(0, len(references), _MOST_AT_ONCE))
