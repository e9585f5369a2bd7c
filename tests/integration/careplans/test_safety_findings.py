"""Findings of the safety rules in the shared record: made, kept, answered, ended and opened again."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from services.careplans.app.commands import open_plan
from services.careplans.app.findings import evaluate_due, scan
from services.careplans.domain.safety.answering import later
from services.careplans.domain.safety.issues import REASON, STATE, UNTIL, State, state_of, with_state
from services.careplans.store import safety
from services.careplans.worker import keep_findings
from shared.engine import Engine
from shared.fhir.json import Resource, dumps, loads
from shared.security.caller import Caller, Discipline, Role
from tests.eventually import eventually
from tests.factories.engine import FixedVerifier
from tests.factories.resources import care_plan
from tests.integration.careplans.hearing import new_patient, store, told
from tests.unit.services.careplans.domain.safety.cases.rows import NALOXONE, OXY5, OXY10
from tests.unit.services.careplans.domain.safety.prescriptions import BID, QID, prescribed

PLANS = "http://test/api/plans"
FHIR_JSON = {"content-type": "application/fhir+json"}
LORAZEPAM = "lorazepam 1 mg tablet"


def ordered(patient: str, text: str, repeat: Any = BID, **more: Any) -> Resource:
    """A prescription without an id."""
    found = prescribed(text, repeat, **more) | {"subject": {"reference": patient}}
    del found["id"]
    return found


async def risky(engine: Engine) -> tuple[str, str, str]:
    """A patient with a plan, an opioid and a benzodiazepine; and the benzodiazepine."""
    patient = await new_patient(engine)
    await store(engine, ordered(patient, OXY5))
    benzodiazepine = await store(engine, ordered(patient, LORAZEPAM))
    await store(engine, ordered(patient, NALOXONE, None))
    plan = await store(engine, care_plan(patient))
    return patient, plan.removeprefix("CarePlan/"), benzodiazepine


async def looked(engine: Engine) -> int:
    """Scan once and look at all who are due; how many that were."""
    await scan(engine)
    looks = 0
    while await evaluate_due(engine):
        looks += 1
    return looks


def at(engine: Engine, **later_by: float) -> Engine:
    """``engine`` at another time."""
    return replace(engine, clock=lambda: datetime.now(UTC) + timedelta(**later_by))


async def issues(engine: Engine) -> dict[str, Resource]:
    """All stored findings by rule."""
    rows = await engine.pool.fetch("SELECT body FROM resource WHERE type = 'DetectedIssue' AND NOT deleted")
    found = [loads(row["body"]) for row in rows]
    return {each["code"]["coding"][0]["code"]: each for each in found}


async def states(engine: Engine) -> dict[str, State | None]:
    return {rule: state_of(issue) for rule, issue in (await issues(engine)).items()}


async def changed(client: httpx.AsyncClient, reference: str, **elements: Any) -> None:
    body = (await client.get(reference)).json() | elements
    assert (await client.put(reference, json=body)).status_code == 200


async def test_a_finding_is_made_once_and_ends_with_its_inputs(engine: Engine, client: httpx.AsyncClient) -> None:
    patient, _, benzodiazepine = await risky(engine)
    assert await looked(engine) == 1
    found = (await issues(engine))["opioid-benzodiazepine"]
    assert found["patient"]["reference"] == patient
    assert (found["status"], found["severity"]) == ("final", "high")
    assert {each["identifier"]["value"].split("/")[0] for each in found["implicated"]} == {"MedicationRequest"}
    assert "taper" in found["detail"]
    assert await looked(engine) == 0
    await changed(client, benzodiazepine, status="stopped")
    assert await looked(engine) == 1
    ended = (await issues(engine))["opioid-benzodiazepine"]
    assert (state_of(ended), ended["status"]) == (State.LAPSED, "cancelled")
    await changed(client, benzodiazepine, status="active")
    await looked(engine)
    again = (await issues(engine))["opioid-benzodiazepine"]
    assert (again["id"], state_of(again), again["status"]) == (found["id"], State.OPEN, "final")
    events = [(each.type, each.data["code"]) for each in await told(engine) if each.type.startswith("safety.")]
    assert events == [
        ("safety.finding-opened.v1", "opioid-benzodiazepine"),
        ("safety.finding-resolved.v1", "opioid-benzodiazepine"),
        ("safety.finding-opened.v1", "opioid-benzodiazepine"),
    ]


async def test_a_renewal_does_not_open_what_was_acknowledged(engine: Engine, client: httpx.AsyncClient) -> None:
    patient, plan, benzodiazepine = await risky(engine)
    await looked(engine)
    issue = (await issues(engine))["opioid-benzodiazepine"]["id"]
    answer = await client.post(f"{PLANS}/{plan}/safety/{issue}/acknowledge", json={"reason": "A taper is agreed."})
    assert answer.status_code == 200, answer.text
    (finding,) = [each for each in answer.json()["findings"] if each["rule"] == "opioid-benzodiazepine"]
    assert (finding["state"], finding["reason"]) == ("acknowledged", "A taper is agreed.")
    await changed(client, benzodiazepine, status="completed")
    await store(engine, ordered(patient, LORAZEPAM, priorPrescription={"reference": benzodiazepine}))
    await looked(engine)
    assert await states(engine) == {"opioid-benzodiazepine": State.ACKNOWLEDGED}
    await store(engine, ordered(patient, "clonazepam 1 mg tablet"))
    await looked(engine)
    rows = await engine.pool.fetch("SELECT body FROM resource WHERE type = 'DetectedIssue' AND NOT deleted")
    found = {loads(row["body"])["id"]: state_of(loads(row["body"])) for row in rows}
    assert sorted(found.values(), key=str) == [State.LAPSED, State.OPEN]
    assert found[issue] is State.LAPSED


async def test_a_snooze_runs_out(engine: Engine, client: httpx.AsyncClient) -> None:
    _, plan, _ = await risky(engine)
    await looked(engine)
    issue = (await issues(engine))["opioid-benzodiazepine"]["id"]
    path = f"{PLANS}/{plan}/safety/{issue}/snooze"
    assert (await client.post(path, json={"reason": "Next visit.", "months": 2})).status_code == 422
    answer = await client.post(path, json={"reason": "Next visit.", "months": 1})
    assert answer.status_code == 200, answer.text
    await looked(at(engine, days=20))
    assert await states(engine) == {"opioid-benzodiazepine": State.SNOOZED}
    await looked(at(engine, days=32))
    assert (await states(engine))["opioid-benzodiazepine"] is State.OPEN
    mitigation = (await issues(engine))["opioid-benzodiazepine"]["mitigation"]
    assert [each["action"]["text"] for each in mitigation] == ["snoozed: Next visit."]


async def test_what_a_person_resolved_stays_so_until_it_ended_and_holds_again(
    engine: Engine, client: httpx.AsyncClient
) -> None:
    _, plan, benzodiazepine = await risky(engine)
    await looked(engine)
    issue = (await issues(engine))["opioid-benzodiazepine"]["id"]
    path = f"{PLANS}/{plan}/safety/{issue}"
    assert (await client.post(f"{path}/resolve", json={"reason": "Stopped."})).status_code == 200
    await changed(client, benzodiazepine, note=[{"text": "x"}])
    await looked(engine)
    assert await states(engine) == {"opioid-benzodiazepine": State.RESOLVED}
    refused = await client.post(f"{path}/acknowledge", json={"reason": "Late."})
    assert refused.status_code == 409
    assert refused.headers["content-type"] == "application/problem+json"
    for status in ("stopped", "active"):
        await changed(client, benzodiazepine, status=status)
        await looked(engine)
    assert await states(engine) == {"opioid-benzodiazepine": State.OPEN}


async def test_missing_data_ends_no_finding(engine: Engine, client: httpx.AsyncClient) -> None:
    patient = await new_patient(engine)
    opioid = await store(engine, ordered(patient, OXY10, QID))
    await looked(engine)
    assert (await states(engine))["opioid-dose-50"] is State.OPEN
    await changed(client, opioid, dosageInstruction=[{"text": "as directed"}])
    await looked(engine)
    assert (await states(engine))["opioid-dose-50"] is State.OPEN


async def test_every_way_in_passes_the_same_rules(
    engine: Engine, client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    await risky(engine)
    await looked(engine)
    issue = (await issues(engine))["opioid-benzodiazepine"]
    path = f"DetectedIssue/{issue['id']}"

    async def put(body: Resource) -> httpx.Response:
        return await client.put(path, content=dumps(body), headers=FHIR_JSON)

    verifier.caller = Caller("c", Role.CLINICIAN, Discipline.PAIN_MEDICINE, fhir_user="Practitioner/c")
    now = datetime.now(UTC)
    refused = [
        (issue | {"severity": "low"}, 422),
        (with_state(issue, State.ACKNOWLEDGED), 422),
        (with_state(issue, State.SNOOZED, "later", later(now, 2)), 422),
        (with_state(issue, State.SNOOZED, "later"), 422),
        (with_state(issue, State.LAPSED, "gone"), 409),
        (with_state(issue, State.ACKNOWLEDGED, "seen", later(now, 1)), 422),
        (issue | {"identifier": [{"system": "urn:x", "value": "1"}]}, 422),
    ]
    for body, status in refused:
        answer = await put(body)
        assert (answer.status_code, answer.json()["resourceType"]) == (status, "OperationOutcome"), answer.text
    assert (await client.delete(path)).status_code == 403
    made = await client.post("DetectedIssue", content=dumps(issue), headers=FHIR_JSON)
    assert made.status_code == 403
    verifier.caller = Caller("p", Role.PATIENT, fhir_user=issue["patient"]["reference"])
    assert (await put(with_state(issue, State.ACKNOWLEDGED, "mine"))).status_code == 403
    verifier.caller = Caller("c", Role.CLINICIAN, Discipline.PAIN_MEDICINE, fhir_user="Practitioner/c")
    assert (await put(with_state(issue, State.SNOOZED, "later", later(now, 3)))).status_code == 200
    stored = (await issues(engine))["opioid-benzodiazepine"]
    assert stored["mitigation"][0]["author"] == {"reference": "Practitioner/c"}
    assert {each["url"] for each in stored["extension"]} >= {STATE, REASON, UNTIL}


async def test_a_detected_issue_of_others_is_theirs(engine: Engine, client: httpx.AsyncClient) -> None:
    patient = await new_patient(engine)
    theirs = {"resourceType": "DetectedIssue", "status": "final", "patient": {"reference": patient}, "detail": "x"}
    reference = await store(engine, theirs)
    await changed(client, reference, detail="y")
    assert (await client.delete(reference)).status_code in (200, 204)


async def test_what_a_finding_rests_on_can_be_deleted(engine: Engine, client: httpx.AsyncClient) -> None:
    _, _, benzodiazepine = await risky(engine)
    await looked(engine)
    assert (await client.delete(benzodiazepine)).status_code in (200, 204)
    await looked(engine)
    assert await states(engine) == {"opioid-benzodiazepine": State.LAPSED}


async def test_many_workers_make_each_finding_once(engine: Engine) -> None:
    patients = [(await risky(engine))[0] for _ in range(4)]
    await asyncio.gather(*(scan(engine) for _ in range(4)))

    async def work() -> int:
        looks = 0
        while await evaluate_due(engine):
            looks += 1
        return looks

    assert sum(await asyncio.gather(*(work() for _ in range(4)))) == len(patients)
    assert await engine.pool.fetchval("SELECT count(*) FROM resource WHERE type = 'DetectedIssue'") == len(patients)
    versions = await engine.pool.fetchval("SELECT max(version) FROM resource WHERE type = 'DetectedIssue'")
    assert versions == 1


async def test_a_killed_look_is_done_again(engine: Engine) -> None:
    await risky(engine)
    await scan(engine)
    assert await safety.claim(engine.pool, engine.clock(), timedelta(minutes=5)) is not None
    assert not await evaluate_due(engine)
    assert await evaluate_due(at(engine, minutes=6))
    assert await states(engine) == {"opioid-benzodiazepine": State.OPEN}


async def test_a_change_during_a_look_is_looked_at_again(engine: Engine, client: httpx.AsyncClient) -> None:
    _, _, benzodiazepine = await risky(engine)
    await scan(engine)
    claimed = await safety.claim(engine.pool, engine.clock(), timedelta(minutes=5))
    assert claimed is not None
    await changed(client, benzodiazepine, status="stopped")
    await scan(engine)
    async with engine.pool.acquire() as connection:
        await safety.settle(connection, *claimed, again=None)
    assert await evaluate_due(engine)


async def test_results_of_people_without_medicines_are_not_looked_at(engine: Engine) -> None:
    patient = await new_patient(engine)
    await looked(engine)
    await store(engine, {"resourceType": "Condition", "subject": {"reference": patient}, "code": {"text": "COPD"}})
    assert await looked(engine) == 0


async def test_a_write_that_was_under_way_is_found_by_the_next_scan(engine: Engine) -> None:
    """A commit may come after a scan that began later than the write."""
    await looked(engine)
    patient = await new_patient(engine)
    async with engine.pool.acquire() as slow:
        transaction = slow.transaction()
        await transaction.start()
        await slow.execute("SELECT pg_current_xact_id()")
        await store(engine, ordered(patient, OXY10, QID))
        await slow.execute("UPDATE resource SET body = body WHERE type = 'MedicationRequest'")
        assert await looked(engine) == 1
        await transaction.commit()
    assert await looked(engine) == 1


@pytest.mark.parametrize("first", [True, False])
async def test_the_worker_does_it_by_itself(engine: Engine, first: bool) -> None:
    if not first:
        await scan(engine)
    await risky(engine)
    stop = asyncio.Event()
    job = asyncio.create_task(keep_findings(engine, stop, look=0.05))
    try:

        async def found() -> bool:
            return await states(engine) == {"opioid-benzodiazepine": State.OPEN}

        await eventually(found)
    finally:
        stop.set()
        await job


async def test_the_scan_uses_the_indexes(engine: Engine) -> None:
    await scan(engine)
    async with engine.pool.acquire() as connection:
        mark = await connection.fetchrow("SELECT snapshot, at FROM safety_mark")
        assert mark is not None
        await connection.execute("SET enable_seqscan = off")
        plan = await connection.fetch(
            f"EXPLAIN {safety._CHANGED}",
            *(mark["snapshot"], mark["at"], mark["at"], safety.MEDICINES, safety.MEDICINES, safety.BESIDE),
        )
        await connection.execute("RESET enable_seqscan")
    text = "\n".join(row[0] for row in plan)
    assert "resource_updated" in text
    assert "resource_deleted" in text
    assert "Seq Scan on resource " not in text


@pytest.mark.parametrize("with_plan", [True, False])
async def test_a_finding_is_answered_by_who_prescribes(
    engine: Engine, client: httpx.AsyncClient, verifier: FixedVerifier, with_plan: bool
) -> None:
    patient, _, _ = await risky(engine)
    if with_plan:
        await open_plan(engine, Caller("k", Role.COORDINATOR), patient)
    await looked(engine)
    issue = (await issues(engine))["opioid-benzodiazepine"]
    answers = []
    for discipline in (Discipline.PHYSICAL_THERAPY, Discipline.MENTAL_HEALTH):
        verifier.caller = Caller("c", Role.CLINICIAN, discipline, fhir_user="Practitioner/c")
        body = dumps(with_state(issue, State.ACKNOWLEDGED, "seen"))
        answers.append((await client.put(f"DetectedIssue/{issue['id']}", content=body, headers=FHIR_JSON)).status_code)
    assert answers == [403, 200]
