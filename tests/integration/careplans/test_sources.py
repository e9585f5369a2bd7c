"""Plans of EHRs beside the shared one: linked, compared, taken over, never changed."""

import asyncio
from typing import Any

import httpx
import pytest

from services.careplans.events.incoming import plans
from services.careplans.store import shared_plans
from shared.contracts.careplans import CarePlanEvent
from shared.engine import Engine
from shared.fhir.json import Resource, dumps
from shared.security.caller import Caller, Role
from tests.factories.engine import FixedVerifier
from tests.integration.careplans.hearing import new_patient, store, told
from tests.integration.careplans.proposing import COORDINATOR, JSON, patient_with, read

PLANS = "http://test/api/plans"


@pytest.fixture(autouse=True)
def coordinator(verifier: FixedVerifier) -> None:
    """Who calls, where a test does not say."""
    verifier.caller = COORDINATOR


def ehr_plan(patient: str, **more: Any) -> Resource:
    return {
        "resourceType": "CarePlan",
        "status": "active",
        "intent": "plan",
        "title": "Physical therapy",
        "subject": {"reference": patient},
        "activity": [
            {"id": "stretch", "detail": {"code": {"text": "Stretching"}, "status": "in-progress"}},
            {"detail": {"code": {"text": "Walking"}, "status": "scheduled"}},
        ],
    } | more


async def hear_all(engine: Engine) -> None:
    """Handle what the service has said of plans so far."""
    handle = plans(engine)
    for event in await told(engine):
        if event.type in (CarePlanEvent.CREATED, CarePlanEvent.UPDATED):
            await handle(event)


async def test_plans_are_linked_whichever_was_first(engine: Engine, client: httpx.AsyncClient) -> None:
    patient = await new_patient(engine)
    first = await store(engine, ehr_plan(patient))
    plan = (await client.post(PLANS, json={"patient": patient})).json()["care_plan"]
    second = await store(engine, ehr_plan(patient))
    await store(engine, ehr_plan(await new_patient(engine)))
    await hear_all(engine)
    linked = await read(client, plan)
    assert {each["reference"] for each in linked["basedOn"]} == {first, second}
    await hear_all(engine)
    assert await read(client, plan) == linked, "once is enough"
    assert (await read(client, first))["meta"]["versionId"] == "1", "theirs stays as it was"
    wrong = await read(client, second)
    headers = JSON | {"if-match": 'W/"1"'}
    answer = await client.put(second, content=dumps(wrong | {"status": "entered-in-error"}), headers=headers)
    assert answer.status_code == 200, answer.text
    await hear_all(engine)
    assert (await read(client, plan))["basedOn"] == [{"reference": first}]


async def test_a_link_keeps_nobody_from_deleting_their_plan(engine: Engine, client: httpx.AsyncClient) -> None:
    patient, plan = await patient_with(engine)
    other = await store(engine, ehr_plan(patient))
    await hear_all(engine)
    assert (await read(client, plan))["basedOn"]
    assert (await client.delete(other)).status_code == 204
    assert "basedOn" not in await read(client, plan)
    await hear_all(engine)
    assert "basedOn" not in await read(client, plan), "what was told of it before does not bring it back"


async def test_a_change_of_a_linked_plan_waits_for_nobody(engine: Engine, client: httpx.AsyncClient) -> None:
    patient, plan = await patient_with(engine)
    other = await store(engine, ehr_plan(patient))
    await hear_all(engine)
    before = await read(client, plan)
    theirs = await read(client, other)
    headers = JSON | {"if-match": 'W/"1"'}
    await client.put(other, content=dumps(theirs | {"title": "Another title"}), headers=headers)
    async with engine.pool.acquire() as connection, connection.transaction():
        await shared_plans.lock(connection, plan.removeprefix("CarePlan/"))
        await asyncio.wait_for(hear_all(engine), 10)
    assert await read(client, plan) == before


async def test_compare_and_take_over(engine: Engine, client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    patient, plan = await patient_with(engine)
    goal: Resource = {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "description": {"text": "Walk to the shop"},
        "subject": {"reference": patient},
    }
    other = await store(engine, ehr_plan(patient, goal=[{"reference": await store(engine, goal)}]))
    await hear_all(engine)
    url = f"{PLANS}/{plan.removeprefix('CarePlan/')}/sources"
    (source,) = (await client.get(url)).json()
    assert (source["care_plan"], source["link"], source["version"]) == (other, "basedOn", 1)
    keys = [each["key"] for each in source["items"]]
    assert [each["standing"] for each in source["items"]] == ["missing"] * 3
    take = f"{url}/{other.removeprefix('CarePlan/')}/take"
    taken = await client.post(take, json={"version": 1, "items": keys[1:]})
    assert taken.status_code == 200, taken.text
    assert [each["standing"] for each in taken.json()[0]["items"]] == ["missing", "same", "same"]
    again = await client.post(take, json={"version": 1, "items": keys})
    assert [each["standing"] for each in again.json()[0]["items"]] == ["same"] * 3
    stored = await read(client, plan)
    assert [each["detail"]["code"]["text"] for each in stored["activity"]] == ["Walking", "Stretching"]
    assert len(stored["goal"]) == 1
    assert (await read(client, other))["meta"]["versionId"] == "1"
    for body, status in (
        ({"version": 2, "items": keys}, 409),
        ({"version": 1, "items": ["nothing"]}, 422),
        ({"version": 1, "items": []}, 422),
        ({"items": keys}, 422),
    ):
        assert (await client.post(take, json=body)).status_code == status
    foreign = await store(engine, ehr_plan(await new_patient(engine)))
    wrong = f"{url}/{foreign.removeprefix('CarePlan/')}/take"
    assert (await client.post(wrong, json={"version": 1, "items": ["stretch"]})).status_code == 404
    assert (await client.get(f"{PLANS}/{other.removeprefix('CarePlan/')}/sources")).status_code == 422
    verifier.caller = Caller("me", Role.PATIENT, fhir_user=patient)
    assert (await client.post(take, json={"version": 1, "items": keys})).status_code == 403
    verifier.caller = Caller("else", Role.PATIENT, fhir_user="Patient/else")
    assert (await client.get(url)).status_code == 404
