"""Every kind of parameter, alone and two together, against the plain filter."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from hypothesis import strategies as st

from tests.integration.oracle import criteria
from tests.integration.oracle.asking import BRANCHES, NOW, Database, try_examples
from tests.integration.oracle.criteria import Asked, Place
from tests.integration.oracle.worlds import COUNTS, World, worlds

Stored = dict[str, datetime]
Draw = Callable[[Any, World, Stored], tuple[str, Asked]]


def _of_place(places: list[Place], make: Callable[[Place, World], st.SearchStrategy[Asked]]) -> Draw:
    def draw(data: Any, world: World, stored: Stored) -> tuple[str, Asked]:
        place = data.draw(st.sampled_from(places))
        return place.type, data.draw(make(place, world))

    return draw


def _of_any_type(make: Callable[[Stored], st.SearchStrategy[Asked]]) -> Draw:
    return lambda data, _, stored: (data.draw(st.sampled_from(sorted(COUNTS))), data.draw(make(stored)))


KINDS: dict[str, Draw] = {
    "token": _of_place(criteria.TOKENS, criteria.tokens),
    "string": _of_place(criteria.STRINGS, lambda place, _: criteria.strings(place)),
    "date": _of_place(criteria.DATES, lambda place, _: criteria.dates(place, NOW)),
    "number": _of_place(criteria.NUMBERS_OF, lambda place, _: criteria.numbers(place)),
    "reference": _of_place(criteria.REFERENCES + criteria.PATIENTS, lambda place, _: criteria.references(place)),
    "uri": _of_place(criteria.URIS, lambda place, _: criteria.uris(place)),
    "composite": lambda data, _, stored: ("Observation", data.draw(criteria.composites(NOW))),
    "_id": _of_any_type(lambda _: criteria.ids()),
    "_lastUpdated": _of_any_type(lambda stored: criteria.updated(stored, NOW)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_one_parameter_finds_what_a_plain_filter_finds(database_url: str, kind: str) -> None:
    """http://hl7.org/fhir/R4/search.html#ptypes"""

    async def check(database: Database, data: Any) -> None:
        world = data.draw(worlds())
        stored = await database.fill(world)
        for _ in range(20):
            type_, asked = KINDS[kind](data, world, stored)
            await database.compare(world, type_, [asked])

    try_examples(database_url, "short", 8, check)


@pytest.mark.parametrize("branch", BRANCHES)
def test_two_parameters_find_what_both_filters_find(database_url: str, branch: str) -> None:
    """http://hl7.org/fhir/R4/search.html#combining"""

    async def check(database: Database, data: Any) -> None:
        world = data.draw(worlds())
        stored = await database.fill(world)
        for _ in range(12):
            type_, first = KINDS[data.draw(st.sampled_from(sorted(KINDS)))](data, world, stored)
            second = data.draw(criteria.of_type(type_, world, stored, NOW))
            await database.compare(world, type_, [first, second])

    try_examples(database_url, branch, 10, check)
