"""Search over stored resources: parse -> Query -> SQL -> Page -> Bundle (http://hl7.org/fhir/R4/search.html)."""

from collections.abc import Sequence
from dataclasses import replace

from shared.clock import Clock, system_clock
from shared.errors import Invalid
from shared.fhir.compartment import within
from shared.fhir.search.access import EVERYTHING, Access
from shared.fhir.search.bundle import searchset
from shared.fhir.search.loading import looked_up
from shared.fhir.search.page import Page, find
from shared.fhir.search.parse import parse
from shared.fhir.search.query import Query
from shared.store.database import Connection, Pool
from shared.store.replica import Replica
from shared.store.resources import Stored

__all__ = ["Page", "matches", "search", "search_bundle"]


async def search(
    connection: Connection | Pool,
    type_: str,
    parameters: Sequence[tuple[str, str]],
    *,
    base: str = "",
    strict: bool = False,
    access: Access = EVERYTHING,
    clock: Clock = system_clock,
) -> Page:
    """One page of resources of ``type_``. ``base`` is our own base URL; ``access`` is what the caller may see.

    Raises ``Invalid`` for what is malformed, ``NotSupported`` for what is still to come."""
    return await find(connection, await _query(connection, type_, parameters, base, strict, access, clock), access)


async def search_bundle(
    connection: Connection | Pool,
    type_: str,
    parameters: Sequence[tuple[str, str]],
    *,
    base: str,
    strict: bool = False,
    access: Access,
    clock: Clock = system_clock,
    replica: Replica | None = None,
    compartment: str = "",
) -> bytes:
    """``search`` as the bytes of a searchset Bundle, from ``replica`` where it may be asked; only in the compartment
    of the patient whose id ``compartment`` is, if any (http://hl7.org/fhir/R4/search.html#2.21.1.2).

    In the order of changes it may not: its snapshots do not tell what was being written (see ``snapshot``)."""
    query = await _query(connection, type_, parameters, base, strict, access, clock)
    if compartment:
        query = replace(query, filters=(within(type_, compartment), *query.filters), compartment=compartment)
    if replica is None or query.moves:
        page = await find(connection, query, access)
    else:
        page = await replica.read(lambda source: find(source, query, access))
    return searchset(page, query, base)


async def matches(
    connection: Connection | Pool,
    type_: str,
    parameters: Sequence[tuple[str, str]],
    *,
    base: str,
    access: Access,
    limit: int,
    clock: Clock = system_clock,
) -> list[Stored]:
    """Up to ``limit`` resources, of what ``access`` shows, that match conditional criteria.

    Raises ``Invalid`` for an unknown parameter, too, and for criteria that everything matches."""
    query = await _query(connection, type_, parameters, base, True, access, clock)
    if not query.filters:
        raise Invalid("The criteria select nothing in particular.", code="value")
    query = replace(query, count=limit, sort=(), includes=(), total=False, cursor=None)
    page = await find(connection, query, access)
    if page.next is not None and len(page.matches) < limit:
        raise Invalid("What the criteria match is more than is taken at once.", code="too-costly")
    return list(page.matches)


async def _query(
    connection: Connection | Pool,
    type_: str,
    parameters: Sequence[tuple[str, str]],
    base: str,
    strict: bool,
    access: Access,
    clock: Clock,
) -> Query:
    lookups = await looked_up(connection, parameters, base=base, access=access)
    return parse(type_, parameters, base=base, strict=strict, now=clock(), lookups=lookups)
