"""``/api/plans/{id}/minutes`` and the evidence of a month."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.careplans.app.commands import open_plan
from shared.clock import instant
from shared.engine import Engine
from shared.fhir.json import Resource
from shared.security.caller import Caller, Role
from tests.factories.engine import FixedVerifier
from tests.integration.careplans.hearing import new_patient, shared_plan, store
from tests.integration.careplans.test_board import COORDINATOR, line, with_goal
from tests.integration.careplans.test_measures_over_rest import PLANS, score
from tests.integration.careplans.test_scores_over_fhir import logged

VISIT: dict[str, Any] = {
    "day": "2026-03-02",
    "minutes": 40,
    "kind": "visit",
    "mode": "in-person",
    "performer": "Practitioner/d",
    "qualified": True,
}


async def plan_of(engine: Engine) -> tuple[str, str]:
    """A patient, and the URL of their shared plan."""
    patient = await new_patient(engine)
    plan, _ = await open_plan(engine, COORDINATOR, patient)
    return patient, f"{PLANS}/{plan}"


async def record(client: httpx.AsyncClient, url: str, key: str | None = None, **more: Any) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return await client.post(f"{url}/minutes", json=VISIT | more, headers=headers)


async def ledger(client: httpx.AsyncClient, url: str, month: str = "2026-03") -> dict[str, Any]:
    answer = await client.get(f"{url}/minutes", params={"month": month})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_minutes_are_recorded_and_corrected_and_nothing_is_lost(
    engine: Engine, client: httpx.AsyncClient
) -> None:
    _, url = await plan_of(engine)
    first = await record(client, url)
    assert first.status_code == 201, first.text
    assert (await record(client, url, kind="coordination", minutes=10, qualified=False)).status_code == 201
    wrong = first.json()["id"]
    corrected = await record(client, url, minutes=30, corrects=wrong, reason="It began late.")
    assert corrected.status_code == 201
    again = await record(client, url, minutes=20, corrects=wrong, reason="No.")
    assert again.status_code == 409
    found = await ledger(client, url)
    assert (found["minutes"], found["qualified"]) == (40, 30)
    assert [(each["entry"]["minutes"], each["counts"]) for each in found["entries"]] == [
        (40, False),
        (10, True),
        (30, True),
    ]
    assert (await ledger(client, url, "2026-02"))["entries"] == []
    # moved into another month: the first month still shows what became of it
    moved = {"minutes": 30, "day": "2026-02-02", "corrects": corrected.json()["id"], "reason": "The wrong month."}
    assert (await record(client, url, **moved)).status_code == 201
    march, february = await ledger(client, url), await ledger(client, url, "2026-02")
    assert (march["qualified"], len(march["entries"])) == (0, 4)
    assert (february["qualified"], len(february["entries"])) == (30, 1)


async def test_the_same_request_under_one_key_is_recorded_once(engine: Engine, client: httpx.AsyncClient) -> None:
    _, url = await plan_of(engine)
    answers = await asyncio.gather(*(record(client, url, '"k"') for _ in range(6)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 5
    assert (await ledger(client, url))["minutes"] == 40
    assert (await record(client, url, '"k"', minutes=41)).status_code == 422
    assert (await record(client, url, '"other"')).status_code == 201
    fixed = {"corrects": answers[0].json()["id"], "reason": "r", "minutes": 0}
    twice = [await record(client, url, '"fix"', **fixed) for _ in range(2)]
    assert [answer.status_code for answer in twice] == [201, 201]
    assert (await ledger(client, url))["minutes"] == 40


@pytest.mark.parametrize(
    "more",
    [
        {"minutes": 0},
        {"minutes": -1},
        {"minutes": 481},
        {"day": "2099-01-01"},
        {"kind": "golf"},
        {"performer": "Patient/p"},
        {"corrects": "x"},
        {"reason": "for nothing"},
        {"corrects": "none", "reason": "There is none."},
        {"evidence": "Encounter/none"},
        {"evidence": "x"},
        {"colour": "red"},
    ],
)
async def test_what_cannot_be_is_refused_and_nothing_is_kept(
    engine: Engine, client: httpx.AsyncClient, more: dict[str, Any]
) -> None:
    _, url = await plan_of(engine)
    refused = await record(client, url, "key", **more)
    assert refused.status_code in (400, 422), refused.text
    assert refused.headers["content-type"] == "application/problem+json"
    assert await engine.pool.fetchval("SELECT count(*) FROM care_minutes") == 0
    assert (await record(client, url, "key")).status_code == 201


async def test_clinicians_record_their_own_and_patients_nothing(
    engine: Engine, client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    patient, url = await plan_of(engine)
    verifier.caller = Caller("d", Role.CLINICIAN, fhir_user="Practitioner/d")
    assert (await record(client, url)).status_code == 201
    assert (await record(client, url, performer="Practitioner/x")).status_code == 403
    verifier.caller = Caller("p", Role.PATIENT, fhir_user=patient)
    assert (await record(client, url)).status_code == 403
    for path in (f"{url}/minutes", f"{url}/evidence", f"{PLANS}/evidence"):
        assert (await client.get(path)).status_code == 403
    verifier.caller = COORDINATOR
    assert (await record(client, f"{PLANS}/none")).status_code == 404


async def test_a_review_moves_the_next_one(engine: Engine, client: httpx.AsyncClient) -> None:
    patient, url = await plan_of(engine)
    await score(engine, patient, "phq-9", 16, instant(engine.clock() - timedelta(weeks=8)))
    assert (await line(client, patient))["review_overdue"] is True
    today = f"{engine.clock():%Y-%m-%d}"
    made = await record(client, url, kind="plan-review", minutes=15, day=today)
    reviewed = await line(client, patient)
    assert (reviewed["review_overdue"], reviewed["last_review_at"][:10]) == (False, today)
    assert "Plan reviewed" in (await client.get(f"{url}/measures/chart.txt")).text
    await record(client, url, kind="plan-review", minutes=0, day=today, corrects=made.json()["id"], reason="Not held.")
    assert (await line(client, patient))["review_overdue"] is True


async def test_a_visit_in_the_ledger_is_a_contact(engine: Engine, client: httpx.AsyncClient) -> None:
    patient, url = await plan_of(engine)
    assert (await line(client, patient))["last_contact_at"] is None
    made = await record(client, url)
    await record(client, url, kind="coordination", day="2026-05-01")
    assert (await line(client, patient))["last_contact_at"] == "2026-03-02T00:00:00Z"
    await record(client, url, minutes=0, corrects=made.json()["id"], reason="It did not take place.")
    assert (await line(client, patient))["last_contact_at"] is None


async def whole_month(engine: Engine, client: httpx.AsyncClient) -> tuple[str, str]:
    """A patient, and the URL of a plan with all that G3002 needs in March 2026."""
    patient, url = await plan_of(engine)
    await with_goal(engine, client, patient)
    plan = await shared_plan(engine, patient)
    detail = {"detail": {"status": "in-progress", "description": "Walks"}}
    changed = plan | {"status": "active", "activity": [detail]}
    tag = {"If-Match": f'W/"{plan["meta"]["versionId"]}"'}
    assert (await client.put(f"CarePlan/{plan['id']}", json=changed, headers=tag)).status_code == 200
    condition: Resource = {
        "resourceType": "Condition",
        "subject": {"reference": patient},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "82423001"}]},
        "onsetDateTime": "2024-05-01",
    }
    await store(engine, condition)
    await score(engine, patient, "peg", 6, "2026-03-10T10:00:00Z")
    for kind in ("visit", "treatment-management", "medication-management", "education", "coordination"):
        assert (await record(client, url, kind=kind, minutes=30 if kind == "visit" else 10)).status_code == 201
    return patient, url


async def test_the_evidence_of_a_month_names_what_is_there_and_what_is_missing(
    engine: Engine, client: httpx.AsyncClient
) -> None:
    _, url = await whole_month(engine, client)
    march = (await client.get(f"{url}/evidence", params={"month": "2026-03"})).json()
    assert (march["missing"], march["g3002"]) == ([], True)
    assert (march["qualified_minutes"], march["g3003_units"], march["minutes_to_next"]) == (70, 2, 5)
    assert "no claim" in march["note"]
    april = (await client.get(f"{url}/evidence", params={"month": "2026-04"})).json()
    assert april["g3002"] is False
    assert set(april["missing"]) >= {"validated-scale", "minutes", "education"}
    assert "initial-visit" not in april["missing"]
    assert (await client.get(f"{url}/evidence")).status_code == 200
    assert (await client.get(f"{url}/evidence", params={"month": "2026-13"})).status_code == 422


async def test_the_month_of_all_plans_comes_in_pages(engine: Engine, client: httpx.AsyncClient) -> None:
    complete, _ = await whole_month(engine, client)
    others = [(await plan_of(engine))[0] for _ in range(4)]
    seen: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await client.get(f"{PLANS}/evidence", params={"month": "2026-03", "limit": "2", **cursor})
        assert answer.status_code == 200, answer.text
        seen += answer.json()["months"]
        if answer.json()["cursor"] is None:
            break
        cursor = {"cursor": answer.json()["cursor"]}
    assert sorted(each["patient"] for each in seen) == sorted([complete, *others])
    assert [each["patient"] for each in seen if each["g3002"]] == [complete]
    refused = await client.get(f"{PLANS}/evidence", params={"cursor": "not an id"})
    assert refused.status_code == 400


async def test_a_page_of_months_takes_five_statements(engine: Engine, client: httpx.AsyncClient) -> None:
    """The plans, what they are made of, conditions, scores, the ledger."""
    for _ in range(2):
        await whole_month(engine, client)
        await client.get(f"{PLANS}/evidence", params={"month": "2026-03"})
        async with logged(engine) as statements:
            await client.get(f"{PLANS}/evidence", params={"month": "2026-03"})
        assert len(statements) == 5, statements
