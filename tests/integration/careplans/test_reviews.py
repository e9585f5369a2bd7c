"""Scores that call for a review of the plan, told in the transaction of the score; history is no alarm."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.careplans.app.commands import open_plan
from services.careplans.app.filling import fill
from services.careplans.domain.measures.recency import URGENT_WITHIN
from shared.clock import instant
from shared.engine import Engine
from shared.fhir.json import Resource
from shared.messaging.envelope import Event
from shared.security.caller import Caller, Role
from shared.store.prepared import Name, finish
from shared.unit_of_work import unit_of_work
from tests.integration.careplans.hearing import SYSTEM, new_patient, store, told
from tests.unit.services.careplans.domain.measures.answering import observed, ours

COORDINATOR = Caller("k", Role.COORDINATOR)


async def with_plan(engine: Engine) -> tuple[str, str]:
    """A patient and the id of their shared plan."""
    patient = await new_patient(engine)
    plan, _ = await open_plan(engine, COORDINATOR, patient)
    return patient, plan


def score(engine: Engine, patient: str, measure: str, value: Any, *, days_ago: float = 0, **more: Any) -> Resource:
    at = instant(engine.clock() - timedelta(days=days_ago))
    made = observed(measure, value, at, **more) | {"subject": {"reference": patient}}
    del made["id"]
    return made


async def events(engine: Engine, prefix: str = "outcome.") -> list[Event]:
    return [event for event in await told(engine) if event.type.startswith(prefix)]


async def test_a_score_that_crosses_a_band_is_told_with_the_plan(engine: Engine) -> None:
    patient, plan = await with_plan(engine)
    await store(engine, score(engine, patient, "phq-9", 18, days_ago=60))
    latest = await store(engine, score(engine, patient, "phq-9", 9))
    [event] = await events(engine)
    assert (event.type, event.subject) == ("outcome.review-due.v1", latest)
    assert event.data == {
        "observation": latest,
        "version": 1,
        "care_plan": f"CarePlan/{plan}",
        "patient": patient,
        "measure": "phq-9",
        "causes": ["band-crossed", "response-changed"],
        "measured": event.data["measured"],
        "occurred_at": event.data["occurred_at"],
    }


async def test_answers_lead_to_their_review_in_one_transaction_and_once(
    engine: Engine, client: httpx.AsyncClient
) -> None:
    patient, _ = await with_plan(engine)
    await store(engine, score(engine, patient, "peg", 8, days_ago=30))
    answers = ours("peg", [2, 2, 2], authored=instant(engine.clock())) | {"subject": {"reference": patient}, "id": "r"}
    for _ in range(3):
        assert (await client.put("QuestionnaireResponse/r", json=answers)).status_code in (200, 201)
    [event] = await events(engine)
    assert event.data["causes"] == ["band-crossed", "response-changed"]
    refused = answers | {"subject": {"reference": "Patient/nobody"}}
    assert (await client.put("QuestionnaireResponse/s", json=refused | {"id": "s"})).status_code == 422
    assert len(await events(engine)) == 1


@pytest.mark.parametrize("measure", ["phq-9"])
async def test_imported_history_and_patients_without_a_plan_lead_to_no_review(engine: Engine, measure: str) -> None:
    patient, _ = await with_plan(engine)
    for value, days in ((3, 800), (22, 700), (22, 600), (3, 500)):
        await store(engine, score(engine, patient, measure, value, days_ago=days))
    alone = await new_patient(engine)
    for value, days in ((3, 60), (22, 0)):
        await store(engine, score(engine, alone, measure, value, days_ago=days))
    assert await events(engine) == []


async def test_two_scores_at_the_same_moment_are_seen_by_each_other(engine: Engine) -> None:
    """Each alone misses the target once: whoever comes second tells."""
    for _ in range(3):
        patient, _ = await with_plan(engine)
        before = len(await events(engine))
        await asyncio.gather(
            *(store(engine, score(engine, patient, "phq-9", 12, days_ago=days)) for days in (0.5, 0.25))
        )
        missed = [event for event in (await events(engine))[before:] if "target-missed" in event.data["causes"]]
        assert len(missed) == 1


async def test_an_answer_of_years_ago_is_on_record_and_no_alarm(engine: Engine, client: httpx.AsyncClient) -> None:
    patient, plan = await with_plan(engine)
    for days, type_ in (
        (1000, "safety.self-harm-item-on-record.v1"),
        (URGENT_WITHIN.days + 1, "safety.self-harm-item-on-record.v1"),
        (URGENT_WITHIN.days - 1, "safety.self-harm-item-positive.v1"),
    ):
        authored = instant(engine.clock() - timedelta(days=days))
        given = ours("phq-9", [1] * 9, authored=authored) | {"subject": {"reference": patient}}
        made = await client.post("QuestionnaireResponse", json=given)
        assert made.status_code == 201
        newest = (await events(engine, "safety."))[-1]
        assert (newest.type, newest.data["measured"]) == (type_, authored)
        assert newest.subject == f"QuestionnaireResponse/{made.json()['id']}"
    flags = await engine.pool.fetchval("SELECT flags FROM plan_standing WHERE care_plan = $1", plan)
    assert "self-harm-answer" in flags
    harmless = ours("phq-9", [1] * 8 + [0], authored=instant(engine.clock())) | {"subject": {"reference": patient}}
    await client.post("QuestionnaireResponse", json=harmless)
    flags = await engine.pool.fetchval("SELECT flags FROM plan_standing WHERE care_plan = $1", plan)
    assert "self-harm-answer" not in flags


async def test_a_score_that_is_amended_withdrawn_or_deleted_is_kept_in_step(
    engine: Engine, client: httpx.AsyncClient
) -> None:
    patient, _ = await with_plan(engine)
    reference = await store(engine, score(engine, patient, "peg", 8))

    async def rows() -> list[str]:
        found = await engine.pool.fetch("SELECT value FROM outcome_score WHERE patient = $1", patient)
        return [row["value"] for row in found]

    assert await rows() == ["8"]
    stored = (await client.get(reference)).json()
    amended = stored | {"status": "amended", "valueQuantity": stored["valueQuantity"] | {"value": 6.67}}
    assert (await client.put(reference, json=amended)).status_code == 200
    assert await rows() == ["20/3"]
    assert (await client.put(reference, json=amended | {"status": "entered-in-error"})).status_code == 200
    assert await rows() == []
    assert (await client.put(reference, json=amended)).status_code == 200
    assert (await client.delete(reference)).status_code == 204
    assert await rows() == []


async def test_a_part_of_a_transaction_over_services_tells_when_it_is_committed(engine: Engine) -> None:
    patient, plan = await with_plan(engine)
    await store(engine, score(engine, patient, "peg", 8, days_ago=30))
    for commit, told_ in ((False, 0), (True, 1)):
        async with unit_of_work(engine, SYSTEM) as work:
            await work.create(score(engine, patient, "peg", 2))
            name = Name(engine.ids(), "careplans", "careplans")
            await work.prepare(name)
        assert await events(engine) == []
        assert await finish(engine.pool, name, commit=commit)
        assert len(await events(engine)) == told_
    at = await engine.pool.fetchval("SELECT last_score_at FROM plan_standing WHERE care_plan = $1", plan)
    assert engine.clock() - at < timedelta(minutes=5)


async def test_what_was_there_before_the_tables_is_filled_in_and_tells_nothing(engine: Engine) -> None:
    patient, plan = await with_plan(engine)
    await store(engine, score(engine, patient, "phq-9", 18, days_ago=60))
    await store(engine, score(engine, patient, "phq-9", 9))
    tables = ("outcome_score", "plan_standing", "safety_answer")

    async def content() -> list[Any]:
        return [[dict(row) for row in await engine.pool.fetch(f"SELECT * FROM {table} ORDER BY 1")] for table in tables]

    wanted, said = await content(), len(await told(engine))
    for table in (*tables, "projection_fill"):
        await engine.pool.execute(f"DELETE FROM {table}")
    while await fill(engine, limit=1):
        pass
    filled = await content()
    assert [len(rows) for rows in filled] == [2, 1, 0]
    assert filled[0] == wanted[0]
    assert filled[1][0] | {"sections_at": None} == wanted[1][0] | {"sections_at": None}
    assert len(await told(engine)) == said
    assert not await fill(engine)
    assert await engine.pool.fetchval("SELECT care_plan FROM plan_standing") == plan
