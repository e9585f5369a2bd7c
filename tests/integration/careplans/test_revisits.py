"""Uncertain diagnoses are told once when their date has passed, whoever looks, and listed until somebody looked."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.careplans.app.commands import open_plan
from services.careplans.app.revisits import tell_due
from services.careplans.domain.uncertainty import RED_FLAG, REVISIT_BY
from services.careplans.worker import nag
from shared.engine import Engine
from shared.fhir.json import Resource
from shared.messaging.envelope import Event
from shared.security.caller import Caller, Role
from tests.eventually import eventually
from tests.factories.engine import FixedVerifier
from tests.integration.careplans.hearing import new_patient, store, told
from tests.integration.careplans.test_board import COORDINATOR, line
from tests.integration.careplans.test_scores_over_fhir import logged

REVISITS = "http://test/api/plans/revisits"


def condition(engine: Engine, patient: str, days: int | None, verification: str = "provisional") -> Resource:
    """A Condition to look at again in so many days."""
    found: Resource = {
        "resourceType": "Condition",
        "subject": {"reference": patient},
        "code": {"text": "Small fibre neuropathy?"},
        "verificationStatus": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": verification}]
        },
        "extension": [{"url": RED_FLAG, "valueString": "Weakness"}],
    }
    if days is not None:
        by = (engine.clock() + timedelta(days=days)).date().isoformat()
        found["extension"].append({"url": REVISIT_BY, "valueDate": by})
    return found


async def events(engine: Engine) -> list[Event]:
    return [event for event in await told(engine) if event.type.startswith("diagnosis.")]


async def tell_all(engine: Engine) -> None:
    while await tell_due(engine):
        pass


async def test_a_date_that_has_passed_is_told_once_however_many_workers_look(engine: Engine) -> None:
    patient = await new_patient(engine)
    plan, _ = await open_plan(engine, COORDINATOR, patient)
    over = [await store(engine, condition(engine, patient, -days)) for days in range(1, 8)]
    for days in (0, 1, None):
        await store(engine, condition(engine, patient, days))
    await store(engine, condition(engine, patient, -3, "confirmed"))
    await asyncio.gather(*(tell_all(engine) for _ in range(4)))
    found = await events(engine)
    assert sorted(event.subject for event in found) == sorted(over)
    assert {event.type for event in found} == {"diagnosis.revisit-due.v1"}
    assert {event.data["care_plan"] for event in found} == {f"CarePlan/{plan}"}
    await tell_all(engine)
    assert len(await events(engine)) == len(over)


async def test_a_new_date_is_told_anew_and_a_certain_diagnosis_never(engine: Engine, client: httpx.AsyncClient) -> None:
    patient = await new_patient(engine)
    await open_plan(engine, COORDINATOR, patient)
    reference = await store(engine, condition(engine, patient, -5))
    await tell_all(engine)
    flagged = await line(client, patient)
    assert flagged["flags"] == ["revisit-overdue"]
    assert flagged["review_overdue"] is True

    async def put(resource: Resource) -> None:
        answer = await client.put(reference, json=resource | {"id": reference.removeprefix("Condition/")})
        assert answer.status_code == 200, answer.text

    await put(condition(engine, patient, -5) | {"note": [{"text": "Still open."}]})
    await tell_all(engine)
    assert len(await events(engine)) == 1
    await put(condition(engine, patient, 30))
    assert (await line(client, patient))["flags"] == []
    await put(condition(engine, patient, -1))
    await tell_all(engine)
    assert len(await events(engine)) == 2
    await put(condition(engine, patient, -1, "confirmed"))
    assert (await line(client, patient))["flags"] == []
    assert await engine.pool.fetchval("SELECT count(*) FROM uncertain_diagnosis") == 0


async def test_a_plan_says_that_a_diagnosis_has_no_date(engine: Engine, client: httpx.AsyncClient) -> None:
    patient = await new_patient(engine)
    await open_plan(engine, COORDINATOR, patient)
    reference = await store(engine, condition(engine, patient, None))
    assert "no-revisit-date" in (await line(client, patient))["gaps"]
    assert (await client.delete(reference)).status_code == 204
    assert "no-revisit-date" not in (await line(client, patient))["gaps"]


async def test_the_list_has_what_is_due_the_oldest_first_in_pages(engine: Engine, client: httpx.AsyncClient) -> None:
    patient = await new_patient(engine)
    plan, _ = await open_plan(engine, COORDINATOR, patient)
    due = [await store(engine, condition(engine, patient, -days)) for days in (9, 7, 5, 0)]
    later = await store(engine, condition(engine, patient, 3, "differential"))
    seen: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await client.get(REVISITS, params={"limit": 3, **cursor})).json()
        seen += page["revisits"]
        if page["cursor"] is None:
            break
        cursor = {"cursor": page["cursor"]}
    assert [(each["condition"], each["days_over"]) for each in seen] == list(zip(due, (9, 7, 5, 0), strict=True))
    assert {(each["care_plan"], each["red_flags"]) for each in seen} == {(f"CarePlan/{plan}", 1)}
    week = (engine.clock() + timedelta(days=7)).date().isoformat()
    wider = (await client.get(REVISITS, params={"due_before": week})).json()["revisits"]
    assert [each["condition"] for each in wider] == [*due, later]
    assert (wider[-1]["verification"], wider[-1]["days_over"]) == ("differential", -3)
    async with logged(engine) as statements:
        await client.get(REVISITS)
    assert len(statements) == 1


async def test_a_date_that_is_none_is_refused_with_its_path(engine: Engine, client: httpx.AsyncClient) -> None:
    broken = condition(engine, await new_patient(engine), None)
    broken["extension"].append({"url": REVISIT_BY, "valueDate": "2026"})
    refused = await client.post("Condition", json=broken)
    assert refused.status_code == 422
    assert refused.json()["issue"][0]["expression"] == ["Condition.extension[1]"]
    for query in ("?cursor=x", "?due_before=soon", "?limit=0", "?a=b"):
        assert (await client.get(f"{REVISITS}{query}")).status_code in (400, 422)


@pytest.mark.parametrize("role", [Role.PATIENT])
async def test_the_list_is_not_for_patients(client: httpx.AsyncClient, verifier: FixedVerifier, role: Role) -> None:
    verifier.caller = Caller("p", role, fhir_user="Patient/p")
    assert (await client.get(REVISITS)).status_code == 403


async def test_a_worker_nags_until_it_is_stopped(engine: Engine) -> None:
    stop = asyncio.Event()
    worker = asyncio.create_task(nag(engine, stop, look=0.05))
    await store(engine, condition(engine, await new_patient(engine), -1))

    async def once() -> bool:
        return len(await events(engine)) == 1

    await eventually(once)
    stop.set()
    await asyncio.wait_for(worker, 10)
