"""Chains, ``_has``, includes, totals and paging equal a plain filter over the resources that the caller may see."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from shared.fhir.json import Resource
from shared.fhir.search import search, statement
from shared.fhir.search.access import EVERYTHING, Access
from shared.fhir.search.cursor import encode
from shared.fhir.search.filters import Filter, Ids, Patients
from shared.store.database import Pool
from tests.factories.search import searchable, store

PATIENTS, ORGANIZATIONS = ("a", "b", "c", "d"), ("x", "y")
GENDERS, STATUSES = ("male", "female"), ("active", "draft")
SEEN = frozenset({"a", "c"})
Test = Callable[[Resource], bool]
World = dict[str, Resource]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Organizations, patients, care teams and plans that refer to them."""
    resources: list[Resource] = []
    for id_ in ORGANIZATIONS:
        resources.append({"resourceType": "Organization", "id": id_, "active": draw(st.booleans())})
        resources[-1]["partOf"] = {"reference": f"Organization/{draw(st.sampled_from(ORGANIZATIONS))}"}
    for id_ in PATIENTS:
        resources.append({"resourceType": "Patient", "id": id_, "gender": draw(st.sampled_from(GENDERS))})
        resources[-1]["managingOrganization"] = {"reference": f"Organization/{draw(st.sampled_from(ORGANIZATIONS))}"}
    for type_, count in (("CareTeam", 3), ("CarePlan", draw(st.integers(0, 8)))):
        for number in range(count):
            made: Resource = {"resourceType": type_, "id": f"{type_.lower()}-{number}"}
            made["status"] = draw(st.sampled_from(STATUSES))
            made["subject"] = {"reference": f"Patient/{draw(st.sampled_from(PATIENTS))}"}
            if type_ == "CarePlan":
                teams = draw(st.sets(st.integers(0, 2)))
                made["careTeam"] = [{"reference": f"CareTeam/careteam-{team}"} for team in sorted(teams)]
            resources.append(made)
    return {f"{each['resourceType']}/{each['id']}": each for each in resources}


REFERENCES = {
    ("CarePlan", "subject"): ("subject", "Patient"),
    ("CarePlan", "care-team"): ("careTeam", "CareTeam"),
    ("CareTeam", "subject"): ("subject", "Patient"),
    ("Patient", "organization"): ("managingOrganization", "Organization"),
    ("Organization", "partof"): ("partOf", "Organization"),
}
LEAVES = {
    "CarePlan": [("status", "status", STATUSES)],
    "CareTeam": [("status", "status", STATUSES)],
    "Patient": [("gender", "gender", GENDERS)],
    "Organization": [("active", "active", ("true", "false"))],
}


def targets(resource: Resource, element: str) -> list[str]:
    found = resource.get(element, [])
    return [each["reference"] for each in (found if isinstance(found, list) else [found])]


@st.composite
def criteria(draw: st.DrawFn, type_: str, world: World, levels: int = 2) -> tuple[str, str, Test]:
    """A name, a value and what they mean, over the resources of ``world``."""
    forward = [key for key in REFERENCES if key[0] == type_]
    backward = [key for key, (_, target) in REFERENCES.items() if target == type_]
    ways = ["leaf", *(["chain"] if levels and forward else []), *(["has"] if levels and backward else [])]
    way = draw(st.sampled_from(ways if levels < 2 else ways[1:]))
    if way == "leaf":
        name, element, values = draw(st.sampled_from(LEAVES[type_]))
        value, negated = draw(st.sampled_from(values)), draw(st.booleans())

        def leaf(resource: Resource) -> bool:
            return (str(resource[element]).lower() == value) != negated

        return f"{name}:not" if negated else name, value, leaf
    source, code = draw(st.sampled_from(forward if way == "chain" else backward))
    element, target = REFERENCES[source, code]
    if way == "chain":
        name, value, inner = draw(criteria(target, world, levels - 1))

        def chain(resource: Resource) -> bool:
            return any(each in world and inner(world[each]) for each in targets(resource, element))

        return f"{code}{draw(st.sampled_from(['', f':{target}']))}.{name}", value, chain
    name, value, inner = draw(criteria(source, world, levels - 1))

    def has(resource: Resource) -> bool:
        own = f"{resource['resourceType']}/{resource['id']}"
        sources = (each for each in world.values() if each["resourceType"] == source)
        return any(own in targets(each, element) and inner(each) for each in sources)

    return f"_has:{source}:{code}:{name}", value, has


def toy(type_: str) -> Filter | None:
    """Only these patients."""
    if type_ == "Patient":
        return Ids(tuple(sorted(SEEN)))
    return None if type_ == "Organization" else Patients(tuple(sorted(SEEN)))


def seen(resource: Resource) -> bool:
    if resource["resourceType"] == "Patient":
        return resource["id"] in SEEN
    return resource["resourceType"] == "Organization" or targets(resource, "subject")[0].partition("/")[2] in SEEN


def reached(world: World, matches: Sequence[str], steps: Sequence[tuple[str, str, bool]]) -> set[str]:
    """What the includes of ``steps`` (source, parameter, backwards), all of them ``:iterate``, bring in."""
    found, waiting = set(matches), list(matches)
    while waiting:
        key = waiting.pop()
        near = list(_near(world, key, steps))
        waiting += [each for each in near if each in world and each not in found]
        found.update(each for each in near if each in world)
    return found - set(matches)


def _near(world: World, key: str, steps: Sequence[tuple[str, str, bool]]) -> Iterator[str]:
    for source, code, reverse in steps:
        element, target = REFERENCES[source, code]
        if reverse and key.startswith(f"{target}/"):
            yield from (k for k, r in world.items() if r["resourceType"] == source and key in targets(r, element))
        elif not reverse and key.startswith(f"{source}/"):
            yield from targets(world[key], element)


async def _all_pages(
    pool: Pool, type_: str, query: list[tuple[str, str]], access: Access
) -> tuple[list[str], set[str]]:
    matches: list[str] = []
    included: set[str] = set()
    following: list[tuple[str, str]] = []
    while True:
        page = await search(pool, type_, [*query, ("_count", "2"), *following], access=access, strict=True)
        matches += [f"{each.type}/{each.id}" for each in page.matches]
        included |= {f"{each.type}/{each.id}" for each in page.included}
        if page.next is None:
            return matches, included
        following = [("_cursor", encode((), page.next))]


@pytest.mark.parametrize("restricted", [False, True], ids=["everything", "these patients"])
@pytest.mark.parametrize(("bound", "enough"), [(1_000, 20), (1, 0), (1, 10_000)], ids=["short", "walk", "intersect"])
def test_links_find_what_a_plain_filter_finds(
    database_url: str, bound: int, enough: int, restricted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statement, "BOUND", bound)
    monkeypatch.setattr(statement, "ENOUGH", enough)
    statement._page.cache_clear()
    access = Access(toy) if restricted else EVERYTHING

    async def check(pool: Pool, data: Any) -> None:
        everything = data.draw(worlds())
        await pool.execute("TRUNCATE resource, resource_history, index_term, index_string, index_date, index_quantity")
        await store(pool, everything.values())
        world = {key: each for key, each in everything.items() if seen(each) or not restricted}
        for _ in range(4):
            type_ = data.draw(st.sampled_from(sorted(LEAVES)))
            asked = data.draw(st.lists(criteria(type_, world), min_size=1, max_size=2))
            query = [(name, value) for name, value, _ in asked]
            expected = {
                key
                for key, each in world.items()
                if each["resourceType"] == type_ and all(passes(each) for _, _, passes in asked)
            }
            matches, _ = await _all_pages(pool, type_, query, access)
            assert sorted(matches) == sorted(expected), query
            counted = await search(pool, type_, [*query, ("_summary", "count")], access=access)
            assert counted.total == len(expected), query
            steps = data.draw(st.lists(st.tuples(st.sampled_from(sorted(REFERENCES)), st.booleans()), max_size=3))
            flat = [(source, code, reverse) for (source, code), reverse in steps]
            wanted = [(f"_{'rev' if back else ''}include:iterate", f"{source}:{code}") for source, code, back in flat]
            page = await search(pool, type_, [*query, *wanted], access=access)
            found = {f"{each.type}/{each.id}" for each in page.included}
            assert found == reached(world, sorted(expected), flat), (query, wanted)

    @settings(
        max_examples=12, phases=[Phase.generate], deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(st.data())
    def examples(data: Any) -> None:
        runner.run(check(pool, data))

    with asyncio.Runner() as runner:
        database = searchable(database_url)
        pool = runner.run(database.__aenter__())
        try:
            examples()
        finally:
            runner.run(database.__aexit__(None, None, None))
            statement._page.cache_clear()
