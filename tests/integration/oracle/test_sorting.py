"""``_sort`` by every kind of value and by several keys, page by page, against an order that is checked row by row
(http://hl7.org/fhir/R4/search.html#sort)."""

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import strategies as st

from shared.fhir.json import Resource
from tests.integration.oracle import criteria, values
from tests.integration.oracle.asking import BRANCHES, NOW, Database, try_examples
from tests.integration.oracle.criteria import Place
from tests.integration.oracle.values import fold
from tests.integration.oracle.worlds import COUNTS, IDS, worlds

Values = Callable[[Resource], list[Any]]
Key = tuple[Values, bool]
"""What a resource is sorted by, and whether descending."""


def _read(place: Place, value: Any) -> list[str]:
    return [fold(text) for text in ([value] if place.fhir == "code" else values.texts(place.fhir, value))]


def _all(place: Place, each: Callable[[Any], list[Any]]) -> Values:
    return lambda resource: [found for value in place.of(resource) for found in each(value)]


def _literal(place: Place) -> Values:
    start = "Patient/" if place.name == "patient" else ""
    return _all(place, lambda v: [text] if (text := v.get("reference")) and text.startswith(start) else [])


def _sorts(type_: str, stored: dict[str, datetime]) -> dict[str, Values]:
    """What resources of ``type_`` can be sorted by."""
    found: dict[str, Values] = {"_id": lambda r: [r["id"]]}
    found["_lastUpdated"] = lambda r: [stored[f"{type_}/{r['id']}"]]
    for place in criteria.TOKENS:
        if place.type == type_ and place.fhir in ("CodeableConcept", "Coding", "code"):
            found[place.name] = _all(place, lambda value, place=place: _read(place, value))
    for place in criteria.STRINGS:
        if place.type == type_:
            found[place.name] = _all(place, lambda value: [fold(value)])
    for place in criteria.DATES:
        if place.type == type_:
            found[place.name] = _all(place, lambda value: [low for low, _ in values.spans(value)])
    for place in criteria.NUMBERS_OF:
        if place.type == type_:
            found[place.name] = _all(place, lambda value: [low for low, _ in values.measures(value)])
    for place in criteria.URIS:
        if place.type == type_:
            found[place.name] = _all(place, lambda value: [value.partition("|")[0]])
    return found


def _in_order(before: Resource, after: Resource, keys: Sequence[Key]) -> bool:
    """The lowest value counts ascending, the highest descending; who has none is last."""
    for read, descending in keys:
        best = max if descending else min
        first, second = (best(found) if (found := read(each)) else None for each in (before, after))
        if first == second:
            continue
        if first is None or second is None:
            return second is None
        return bool(first > second if descending else first < second)
    return True


@pytest.mark.parametrize("branch", BRANCHES)
def test_pages_come_in_the_order_that_was_asked_for(database_url: str, branch: str) -> None:
    """http://hl7.org/fhir/R4/search.html#sort, http://hl7.org/fhir/R4/http.html#paging"""

    async def check(database: Database, data: Any) -> None:
        world = data.draw(worlds())
        stored = await database.fill(world)
        for _ in range(8):
            type_ = data.draw(st.sampled_from(sorted(COUNTS)))
            sorts = _sorts(type_, stored)
            asked = data.draw(st.lists(criteria.of_type(type_, world, stored, NOW), max_size=1))
            query = [(each.name, each.value) for each in asked]
            singles = [p for p in criteria.REFERENCES + criteria.PATIENTS if p.type == type_ and p.name in _ONCE]
            if singles and data.draw(st.booleans()):
                query.append(("_id", ",".join(IDS)))
                sorts |= {place.name: _literal(place) for place in singles}
            names = data.draw(st.lists(st.sampled_from(sorted(sorts)), min_size=1, max_size=3, unique=True))
            descending = [data.draw(st.booleans()) for _ in names]
            written = ",".join(f"{'-' if down else ''}{name}" for name, down in zip(names, descending, strict=True))
            found, _ = await database.pages(type_, [*query, ("_sort", written)])
            rows = [world[f"{type_}/{id_}"] for id_ in found]
            expected = [
                r["id"] for r in world.values() if r["resourceType"] == type_ and all(each.finds(r) for each in asked)
            ]
            assert sorted(found) == sorted(expected), (type_, query, written)
            keys = [(sorts[name], down) for name, down in zip(names, descending, strict=True)]
            wrong = [(first, second) for first, second in pairwise(rows) if not _in_order(first, second, keys)]
            assert not wrong, (type_, query, written, wrong)

    try_examples(database_url, branch, 8, check)


_ONCE = frozenset({"subject", "patient", "owner", "focus", "organization", "partof"})
"""References that do not repeat: by the others nothing can be sorted."""
