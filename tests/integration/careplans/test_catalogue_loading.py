"""The catalogue in the shared record: loaded once, renewed by a newer release, and what people did stays."""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from services.careplans.app.catalogue import Loaded, load_catalogue, packaged
from services.careplans.worker import load_at_start
from shared.engine import Engine
from shared.fhir.json import Resource, loads
from shared.store import resources

WANTED = packaged()
ALL = len(WANTED)


def renewed(version: str) -> Sequence[Resource]:
    return [definition | {"version": version} for definition in WANTED]


async def stored(engine: Engine, type_: str, id_: str) -> dict[str, Any]:
    found = await resources.read(engine.pool, type_, id_)
    assert found is not None
    body: dict[str, Any] = loads(found.body)
    return body


async def rows(engine: Engine) -> tuple[int, ...]:
    """How much there is of everything that a write would add to."""
    tables = ("resource", "resource_history", "outbox")
    return tuple([await engine.pool.fetchval(f"SELECT count(*) FROM {table}") for table in tables])


async def test_loading_twice_writes_once(engine: Engine) -> None:
    assert await load_catalogue(engine, WANTED) == Loaded(created=ALL)
    before = await rows(engine)
    assert await load_catalogue(engine, WANTED) == Loaded(unchanged=ALL)
    assert await rows(engine) == before
    assert before[0] >= ALL


async def test_two_workers_that_start_together_load_once(engine: Engine) -> None:
    loaded = await asyncio.gather(*(load_catalogue(engine, WANTED) for _ in range(3)))
    assert sorted(each.created for each in loaded) == [0, 0, ALL]


async def test_a_newer_release_makes_new_versions_and_an_older_one_nothing(engine: Engine) -> None:
    await load_catalogue(engine, renewed("1.9.0"))
    assert await load_catalogue(engine, renewed("1.10.0")) == Loaded(updated=ALL)
    plan = await stored(engine, "PlanDefinition", "stepped-care")
    assert (plan["version"], plan["meta"]["versionId"]) == ("1.10.0", "2")
    assert await load_catalogue(engine, renewed("1.9.0")) == Loaded(unchanged=ALL)


async def test_what_people_made_of_it_stays(engine: Engine, client: httpx.AsyncClient) -> None:
    taken = {"resourceType": "PlanDefinition", "id": "bridging", "status": "active", "title": "Ours"}
    assert (await client.put("PlanDefinition/bridging", json=taken)).status_code == 201
    assert await load_catalogue(engine, WANTED) == Loaded(created=ALL - 1, left=1)
    yoga = await stored(engine, "ActivityDefinition", "yoga")
    assert (await client.put("ActivityDefinition/yoga", json=yoga | {"version": "1.0.0-ours"})).status_code == 200
    plans = [each for each in WANTED if each["resourceType"] == "PlanDefinition"]
    assert (await client.delete(f"PlanDefinition/{plans[0]['id']}")).status_code in (200, 204)
    assert await load_catalogue(engine, renewed("2.0.0")) == Loaded(updated=ALL - 3, left=3)
    assert (await stored(engine, "PlanDefinition", "bridging"))["title"] == "Ours"
    assert (await stored(engine, "ActivityDefinition", "yoga"))["version"] == "1.0.0-ours"
    assert (await client.get(f"PlanDefinition/{plans[0]['id']}")).status_code == 410


@pytest.mark.parametrize(
    ("search", "ids"),
    [
        ("ActivityDefinition?url=https://consilium.care/fhir/ActivityDefinition/dbt", {"dbt"}),
        ("ActivityDefinition?topic=stress-management", {"mindfulness-meditation", "deep-breathing",
            "progressive-muscle-relaxation", "enjoyable-activities"}),
        ("Questionnaire?url=https://consilium.care/fhir/Questionnaire/peg", {"peg"}),
        ("Questionnaire?status=active", {"peg", "phq-9", "gad-7"}),
        ("ActivityDefinition?title=yoga", {"yoga"}),
        ("PlanDefinition?definition=https://consilium.care/fhir/ActivityDefinition/cbt-i", {"sleep-programme"}),
    ],
)  # fmt: skip
async def test_the_catalogue_is_found_by_ordinary_search(
    engine: Engine, client: httpx.AsyncClient, search: str, ids: set[str]
) -> None:
    await load_catalogue(engine, WANTED)
    bundle = (await client.get(search)).json()
    assert {entry["resource"]["id"] for entry in bundle.get("entry", ())} == ids


async def test_a_worker_loads_at_its_start_and_is_done(engine: Engine) -> None:
    await asyncio.wait_for(load_at_start(engine, asyncio.Event()), 30)
    assert await load_catalogue(engine, WANTED) == Loaded(unchanged=ALL)
