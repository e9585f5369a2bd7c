"""Reading what a search refers to from this service's store: value sets, code systems and Lists."""

from collections.abc import Iterable, Sequence

from shared.errors import Invalid
from shared.fhir.json import Resource, loads
from shared.fhir.search.access import Access
from shared.fhir.search.escapes import split_unescaped, unescape
from shared.fhir.search.filters import Ids, Terms
from shared.fhir.search.lookups import NOTHING, Lookups, named
from shared.fhir.search.page import find
from shared.fhir.search.parameters import parameters_of
from shared.fhir.search.query import LARGEST_COUNT, Query
from shared.store.database import Connection, Pool
from shared.store.indexing import term

_IN = (":in", ":not-in")
_HIERARCHY = (":above", ":below")
_MOST = 50
"""Documents that one search may need."""
_ROUNDS = 5
"""Value sets are made of others; so deep."""


async def looked_up(
    connection: Connection | Pool, parameters: Sequence[tuple[str, str]], *, base: str, access: Access
) -> Lookups:
    """What ``parameters`` refer to, as far as ``access`` lets it be seen. Most searches need nothing, and ask nothing.

    Raises ``Invalid`` (too costly) where one search needs more than ``_MOST`` of them."""
    sets, systems, lists = set[str](), set[str](), set[str]()
    for name, value in parameters:
        if name.endswith(_IN):
            sets |= {named(text, base) for text in split_unescaped(value, ",")}
        elif name.endswith(_HIERARCHY):
            systems |= {unescape(split_unescaped(text, "|")[0]) for text in split_unescaped(value, ",") if "|" in text}
        elif name == "_list":
            lists |= {unescape(text) for text in split_unescaped(value, ",")}
    if not (sets or systems or lists):
        return NOTHING
    documents: dict[str, Resource] = {}
    for _ in range(_ROUNDS):
        if len(sets) + len(systems) + len(lists) + len(documents) > _MOST:
            raise Invalid("A search needs too many value sets, code systems or lists.", code="too-costly")
        found = await _value_sets(connection, sets, access)
        found |= await _by_url(connection, "CodeSystem", systems, access)
        documents |= found
        sets = {name for document in found.values() for name in _sets_of(document)} - documents.keys()
        systems = {system for document in found.values() for system in _systems_of(document)} - documents.keys()
        if not (sets or systems):
            break
    return Lookups(documents, await _by_id(connection, "List", lists, access))


async def _value_sets(connection: Connection | Pool, names: set[str], access: Access) -> dict[str, Resource]:
    ids = {name.removeprefix("ValueSet/") for name in names if name.startswith("ValueSet/")}
    urls = {name for name in names if not name.startswith("ValueSet/")}
    own = await _by_id(connection, "ValueSet", ids, access)
    return {f"ValueSet/{id_}": document for id_, document in own.items()} | await _by_url(
        connection, "ValueSet", urls, access
    )


async def _by_id(connection: Connection | Pool, type_: str, ids: Iterable[str], access: Access) -> dict[str, Resource]:
    wanted = tuple(ids)
    if not wanted:
        return {}
    page = await find(connection, Query(type_, (Ids(wanted),), count=LARGEST_COUNT), access)
    return {match.id: loads(match.body) for match in page.matches}


async def _by_url(
    connection: Connection | Pool, type_: str, names: Iterable[str], access: Access
) -> dict[str, Resource]:
    """By canonical URL, with or without a version: of several the one that was written last."""
    wanted = tuple(names)
    if not wanted:
        return {}
    url = parameters_of(type_)["url"]
    keys = tuple(term(type_, url.slot, name.partition("|")[0]) for name in wanted)
    page = await find(connection, Query(type_, (Terms(keys),), count=LARGEST_COUNT), access)
    found: dict[str, Resource] = {}
    for match in sorted(page.matches, key=lambda match: match.last_updated):
        document = loads(match.body)
        for name in (document["url"], f"{document['url']}|{document.get('version', '')}"):
            if name in wanted:
                found[name] = document
    return found


def _sets_of(document: Resource) -> Iterable[str]:
    return (name for part in _parts(document) for name in part.get("valueSet", ()))


def _systems_of(document: Resource) -> Iterable[str]:
    return (part["system"] for part in _parts(document) if "filter" in part and "system" in part)


def _parts(document: Resource) -> list[Resource]:
    compose = document.get("compose") or {}
    return [*compose.get("include", ()), *compose.get("exclude", ())]
