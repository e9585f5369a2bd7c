"""Chains, ``_has`` and includes over all references of the world, against a walk over the JSON."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from hypothesis import strategies as st

from shared.fhir.json import Resource
from tests.integration.oracle import criteria
from tests.integration.oracle.asking import BRANCHES, NOW, Database, try_examples
from tests.integration.oracle.criteria import Asked, Place
from tests.integration.oracle.worlds import COUNTS, World, worlds

LINKS = criteria.REFERENCES + criteria.PATIENTS
Stored = dict[str, datetime]


def led_to(place: Place, resource: Resource) -> list[str]:
    """``Type/id`` of what ``resource`` refers to by the parameter, on this server."""
    texts = [value.get("reference", "").partition("/_history/")[0] for value in place.of(resource)]
    return [text for text in texts if text.count("/") == 1 and (place.name != "patient" or text.startswith("Patient/"))]


@st.composite
def linked(draw: st.DrawFn, type_: str, world: World, stored: Stored, levels: int) -> Asked:
    """A chain or ``_has`` over ``levels`` references that ends in a criterion of any kind."""
    if not levels:
        return draw(criteria.of_type(type_, world, stored, NOW))
    forward = [(place, target) for place in LINKS if place.type == type_ for target in _targets(place)]
    backward = [place for place in LINKS if type_ in _targets(place)]
    if forward and (not backward or draw(st.booleans())):
        place, target = draw(st.sampled_from(forward))
        inner = draw(linked(target, world, stored, levels - 1))
        # without a type it is a chain over all of them
        alone = place.fhir != "any" and len(_targets(place)) == 1 and draw(st.booleans())

        def chain(resource: Resource) -> bool:
            ends = [world[key] for key in led_to(place, resource) if key in world]
            return any(end["resourceType"] == target and inner.finds(end) for end in ends)

        return Asked(f"{place.name}{'' if alone else f':{target}'}.{inner.name}", inner.value, chain)
    place = draw(st.sampled_from(backward))
    inner = draw(linked(place.type, world, stored, levels - 1))

    def has(resource: Resource) -> bool:
        own = f"{resource['resourceType']}/{resource['id']}"
        sources = (each for each in world.values() if each["resourceType"] == place.type)
        return any(own in led_to(place, source) and inner.finds(source) for source in sources)

    return Asked(f"_has:{place.type}:{place.name}:{inner.name}", inner.value, has)


def _targets(place: Place) -> list[str]:
    return ["Patient"] if place.name == "patient" else [target for target in place.targets if target in COUNTS]


@pytest.mark.parametrize("branch", BRANCHES)
@pytest.mark.parametrize("levels", [1, 2, 3])
def test_chains_and_has_find_what_a_walk_finds(database_url: str, levels: int, branch: str) -> None:
    """http://hl7.org/fhir/R4/search.html#chaining, #has"""

    async def check(database: Database, data: Any) -> None:
        world = data.draw(worlds())
        stored = await database.fill(world)
        for _ in range(6):
            type_ = data.draw(st.sampled_from(sorted(COUNTS.keys() - {"ValueSet"})))
            if not any(place.type == type_ or type_ in _targets(place) for place in LINKS):
                continue
            asked = [data.draw(linked(type_, world, stored, levels))]
            asked += data.draw(st.lists(criteria.of_type(type_, world, stored, NOW), max_size=1))
            await database.compare(world, type_, asked)

    try_examples(database_url, branch, 8, check)


@dataclass(frozen=True)
class Step:
    """One include: the references by ``places``, to ``target`` alone where one is named."""

    source: str
    code: str
    places: tuple[Place, ...]
    target: str
    reverse: bool
    iterate: bool

    @property
    def parameter(self) -> tuple[str, str]:
        """As it is asked for."""
        name = f"_{'rev' if self.reverse else ''}include{':iterate' if self.iterate else ''}"
        return name, f"{self.source}:{self.code}" + (f":{self.target}" if self.target else "")

    def near(self, world: World, key: str) -> Iterable[str]:
        """What it brings in because of ``key``."""
        wanted = self.target + "/" if self.target else ""
        if not self.reverse:
            if key.startswith(f"{self.source}/"):
                found = [each for place in self.places for each in led_to(place, world[key])]
                return [each for each in found if each in world and each.startswith(wanted)]
            return []
        if not key.startswith(wanted):
            return []
        return [
            each
            for each, resource in world.items()
            if resource["resourceType"] == self.source and any(key in led_to(place, resource) for place in self.places)
        ]


@st.composite
def steps(draw: st.DrawFn, type_: str) -> Step:
    """An include or reverse include for a search of ``type_``."""
    reverse, iterate = draw(st.booleans()), draw(st.booleans())
    near = [place for place in LINKS if (type_ in _targets(place) if reverse else place.type == type_)]
    reverse = reverse and (iterate or bool(near))
    anywhere = iterate or not near or (not reverse and draw(st.booleans()))
    place = draw(st.sampled_from(LINKS if anywhere else near))
    whole = draw(st.integers(0, 4)) == 0 and not reverse
    targets = [type_] if reverse and not iterate else _targets(place)
    target = draw(st.sampled_from(["", *targets])) if targets else ""
    places = tuple(each for each in LINKS if each.type == place.type) if whole else (place,)
    return Step(place.type, "*" if whole else place.name, places, target, reverse, iterate)


def brought_in(world: World, matches: Iterable[str], asked: Iterable[Step]) -> tuple[set[str], int]:
    """What comes along with ``matches``, and in how many rounds."""
    known, newest, rounds = set(matches), set(matches), 0
    own, asked = set(known), list(asked)
    while newest:
        found = {near for key in newest for step in asked for near in step.near(world, key)}
        newest = found - known
        known |= newest
        asked = [step for step in asked if step.iterate]
        rounds += 1
    return known - own, rounds


@pytest.mark.parametrize("branch", BRANCHES)
def test_includes_bring_in_what_a_walk_meets(database_url: str, branch: str) -> None:
    """http://hl7.org/fhir/R4/search.html#include"""

    async def check(database: Database, data: Any) -> None:
        world = data.draw(worlds())
        await database.fill(world)
        for _ in range(16):
            type_ = data.draw(st.sampled_from(sorted(COUNTS.keys() - {"ValueSet"})))
            # few matches, so that includes lead to what is none
            asked = data.draw(st.lists(criteria.ids(), max_size=1))
            matches = await database.compare(world, type_, asked)
            wanted = data.draw(st.lists(steps(type_), min_size=2, max_size=4))
            expected, rounds = brought_in(world, [f"{type_}/{id_}" for id_ in matches], wanted)
            if rounds > 7:
                continue
            query = [*((each.name, each.value) for each in asked), *(step.parameter for step in wanted)]
            page = await database.page(type_, query)
            assert {f"{each.type}/{each.id}" for each in page.included} == expected, (type_, query)
            assert [match.id for match in page.matches] == matches, (type_, query)

    try_examples(database_url, branch, 8, check)
