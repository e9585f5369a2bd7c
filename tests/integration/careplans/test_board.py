"""``/api/plans/board``: all shared plans, in step with what is written, page by page."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.careplans.app.commands import open_plan
from services.careplans.app.filling import fill
from shared.clock import instant
from shared.engine import Engine
from shared.fhir.json import Resource
from shared.security.caller import Caller, Role
from tests.factories.engine import FixedVerifier
from tests.integration.careplans.hearing import Referral, hear, new_patient, shared_plan, shared_team, store
from tests.integration.careplans.test_measures_over_rest import score
from tests.integration.careplans.test_scores_over_fhir import logged

BOARD = "http://test/api/plans/board"
COORDINATOR = Caller("k", Role.COORDINATOR)


async def page(client: httpx.AsyncClient, **asked: Any) -> dict[str, Any]:
    answer = await client.get(BOARD, params=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def line(client: httpx.AsyncClient, patient: str, **asked: Any) -> dict[str, Any]:
    [found] = [each for each in (await page(client, **asked))["plans"] if each["patient"] == patient]
    return dict(found)


async def plan_of(engine: Engine) -> str:
    """A patient with an empty shared plan."""
    patient = await new_patient(engine)
    await open_plan(engine, COORDINATOR, patient)
    return patient


async def with_goal(engine: Engine, client: httpx.AsyncClient, patient: str, **more: Any) -> str:
    """A goal that the patient expresses, in the shared plan."""
    goal: Resource = {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "description": {"text": "To walk"},
        "subject": {"reference": patient},
        "expressedBy": {"reference": patient},
    }
    reference = await store(engine, goal | more)
    plan = await shared_plan(engine, patient)
    answer = await client.put(
        f"CarePlan/{plan['id']}",
        json=plan | {"goal": [*plan.get("goal", ()), {"reference": reference}]},
        headers={"If-Match": f'W/"{plan["meta"]["versionId"]}"'},
    )
    assert answer.status_code == 200, answer.text
    return reference


async def test_the_board_follows_what_is_written(engine: Engine, client: httpx.AsyncClient) -> None:
    patient = await plan_of(engine)
    empty = await line(client, patient)
    assert empty["gaps"] == ["no-goal", "no-patient-goal"]
    assert (empty["open_activities"], empty["goals"], empty["flags"], empty["stale"]) == (0, 0, [], [])
    assert (empty["last_contact_at"], empty["last_score_at"], empty["review_overdue"]) == (None, None, False)
    goal = await with_goal(engine, client, patient)
    assert (await line(client, patient))["gaps"] == []
    referral = Referral(patient)
    await hear(engine, referral.event("received"))
    assert (await line(client, patient))["gaps"] == ["no-member:mental-health"]
    await hear(engine, referral.event("accepted"))
    full = await line(client, patient)
    assert (full["gaps"], full["disciplines"], full["members"]) == ([], ["mental-health"], ["Organization/clinic"])
    assert (full["status"], full["open_activities"], full["version"]) == ("active", 1, 4)
    await client.put(goal, json=(await client.get(goal)).json() | {"lifecycleStatus": "completed"})
    assert (await line(client, patient))["gaps"] == ["no-goal", "no-patient-goal"]
    team = await shared_team(engine, patient)
    gone = team | {"participant": [team["participant"][0] | {"period": {"start": "2020", "end": "2021"}}]}
    assert (await client.put(f"CareTeam/{team['id']}", json=gone)).status_code == 200
    assert "no-member:mental-health" in (await line(client, patient))["gaps"]


async def test_scores_contacts_and_issues_are_on_the_line(engine: Engine, client: httpx.AsyncClient) -> None:
    patient = await plan_of(engine)
    now = engine.clock()
    for weeks, value in ((6, 12), (5, 16)):
        await score(engine, patient, "phq-9", value, instant(now - timedelta(weeks=weeks)))
    subject = {"subject": {"reference": patient}}
    for start in ("2026-01-05T09:00:00Z", "2026-02-05T09:00:00Z", "2199-01-01T00:00:00Z"):
        encounter: Resource = {"resourceType": "Encounter", "status": "finished", "class": {"code": "AMB"}}
        await store(engine, encounter | subject | {"period": {"start": start}})
    for status, more in (("final", {}), ("final", {"mitigation": [{"action": {"text": "seen"}}]}), ("cancelled", {})):
        issue: Resource = {"resourceType": "DetectedIssue", "status": status, "patient": {"reference": patient}}
        await store(engine, issue | more)
    found = await line(client, patient)
    assert found["last_contact_at"] == "2026-02-05T09:00:00Z"
    assert found["open_issues"] == 1
    assert found["flags"] == ["step-up:phq-9"]
    assert found["review_overdue"] is True
    assert await line(client, patient, list="reviews-due")
    assert await line(client, patient, list="flagged")
    await score(engine, patient, "phq-9", 3, instant(now))
    assert (await line(client, patient))["flags"] == []
    assert (await page(client, list="flagged"))["plans"] == []


async def test_a_plan_that_has_ended_leaves_the_board_and_the_next_one_comes(
    engine: Engine, client: httpx.AsyncClient
) -> None:
    patient = await plan_of(engine)
    plan = await shared_plan(engine, patient)
    ended = await client.put(f"CarePlan/{plan['id']}", json=plan | {"status": "revoked"}, headers={"If-Match": 'W/"1"'})
    assert ended.status_code == 200
    assert (await page(client))["plans"] == []
    await open_plan(engine, COORDINATOR, patient)
    await hear(engine, Referral(patient).event("accepted"))
    assert (await line(client, patient))["care_plan"] != f"CarePlan/{plan['id']}"


async def test_pages_and_counts_agree_and_nothing_comes_twice(engine: Engine, client: httpx.AsyncClient) -> None:
    patients = [await plan_of(engine) for _ in range(7)]
    for patient in patients[:3]:
        await hear(engine, Referral(patient, discipline="physical-therapy", owner="Practitioner/x").event("accepted"))
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        found = await page(client, limit=2, **cursor)
        seen += [each["patient"] for each in found["plans"]]
        if found["cursor"] is None:
            break
        cursor = {"cursor": found["cursor"]}
    assert sorted(seen) == sorted(patients)
    due = [each["next_review_at"] for each in (await page(client))["plans"]]
    assert due == sorted(due)
    counts = (await client.get(f"{BOARD}/counts")).json()
    assert counts == {"board": 7, "reviews-due": 0, "gaps": 7, "stale": 0, "flagged": 0}
    for asked, number in (
        ({"discipline": "physical-therapy"}, 3),
        ({"discipline": "mental-health"}, 0),
        ({"member": "Practitioner/x"}, 3),
        ({"member": "Practitioner/y"}, 0),
        ({"due_before": "2020-01-01T00:00:00Z"}, 0),
        ({"due_before": "2199-01-01T00:00:00Z", "member": "Practitioner/x"}, 3),
    ):
        assert len((await page(client, **asked))["plans"]) == number
        assert (await client.get(f"{BOARD}/counts", params=asked)).json()["board"] == number
    first = await page(client, limit=2)
    other = await client.get(BOARD, params={"list": "gaps", "cursor": first["cursor"]})
    assert other.status_code == 400


async def test_a_stale_section_is_named_with_its_age(engine: Engine, client: httpx.AsyncClient) -> None:
    patient = await plan_of(engine)
    await hear(engine, Referral(patient).event("accepted"))
    assert (await page(client, list="stale"))["plans"] == []
    # as if nobody had touched it for a year
    await engine.pool.execute(
        "UPDATE plan_standing SET sections_at = ARRAY(SELECT each - interval '365 days' FROM unnest(sections_at) each),"
        " stale_at = stale_at - interval '365 days' WHERE patient = $1",
        patient,
    )
    found = await line(client, patient, list="stale")
    assert [(each["section"], each["days"]) for each in found["stale"]] == [
        ("activities:mental-health", 365),
        ("team", 365),
    ]
    await hear(engine, Referral(patient).event("accepted"))
    assert [each["section"] for each in (await line(client, patient))["stale"]] == ["team"]


async def test_rows_that_are_made_anew_are_as_they_were(engine: Engine, client: httpx.AsyncClient) -> None:
    patients = [await plan_of(engine) for _ in range(3)]
    for patient in patients:
        await with_goal(engine, client, patient)
        referral = Referral(patient)
        await hear(engine, *(referral.event(step) for step in ("received", "accepted", "scheduled", "completed")))
        await score(engine, patient, "phq-9", 16, instant(engine.clock() - timedelta(days=3)))
    before = [dict(row) for row in await engine.pool.fetch("SELECT * FROM plan_standing ORDER BY care_plan")]
    await engine.pool.execute("DELETE FROM plan_standing")
    await engine.pool.execute("DELETE FROM projection_fill")
    while await fill(engine, limit=2):
        pass
    after = [dict(row) for row in await engine.pool.fetch("SELECT * FROM plan_standing ORDER BY care_plan")]
    # but for when a section was touched, which only writes know
    for row in (*before, *after):
        del row["sections_at"], row["stale_at"]
    assert after == before
    assert len(after) == 3


async def test_a_page_takes_four_statements(engine: Engine, client: httpx.AsyncClient) -> None:
    for _ in range(2):
        for _ in range(4):
            await plan_of(engine)
        await page(client)
        async with logged(engine) as statements:
            await page(client)
        assert len(statements) == 4, statements


@pytest.mark.parametrize(
    "query",
    ["?list=none", "?limit=0", "?limit=201", "?cursor=x", "?cursor=W10", "?member=x", "?due_before=2026-01-01", "?a=b"],
)
async def test_what_cannot_be_asked_is_refused(client: httpx.AsyncClient, query: str) -> None:
    refused = await client.get(f"{BOARD}{query}")
    assert refused.status_code in (400, 422)
    assert refused.headers["content-type"] == "application/problem+json"


async def test_the_board_is_not_for_patients(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    verifier.caller = Caller("p", Role.PATIENT, fhir_user="Patient/p")
    for path in ("", "/counts"):
        assert (await client.get(f"{BOARD}{path}")).status_code == 403


@pytest.mark.parametrize("path", ["", "/counts"])
async def test_moments_out_of_reach_are_refused(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(f"{BOARD}{path}", params={"due_before": "9999-12-31T23:59:59-14:00"})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
