"""The worklists of a coordinator: what is on each, in which order, page by page; their counts, export and figures."""

import csv
import io
import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from services.referrals.domain.worklists import ANSWER
from services.referrals.store.tables import UNANSWERED
from shared.engine import Engine
from shared.security.caller import Caller, Role
from tests.factories.engine import FixedVerifier
from tests.factories.referrals import (
    BACK_END,
    COORDINATOR,
    OWNER,
    PATIENT,
    REQUESTER,
    STRANGER,
    concept,
    order,
    reference,
    task,
)
from tests.integration.referrals.asking import API, furnish, put, send

ROLE = {"owner": reference("PractitionerRole/r-b")}


@pytest.fixture(autouse=True)
async def directory(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await furnish(client, verifier)


async def listed(client: httpx.AsyncClient, **query: object) -> list[str]:
    """The ids on a list, over all pages."""
    found: list[str] = []
    cursor: str | None = None
    while True:
        answer = await client.get(API, params={**query, **({"cursor": cursor} if cursor else {})})
        assert answer.status_code == 200, answer.text
        found += [line["task"].removeprefix("Task/") for line in answer.json()["referrals"]]
        cursor = answer.json()["cursor"]
        if cursor is None:
            return found


async def late(engine: Engine, *ids: str, days: int = 1) -> None:
    """Their target times passed some days ago."""
    await engine.pool.execute(
        "UPDATE referral SET due_at = $2 WHERE task = ANY ($1)", ids, datetime.now(UTC) - timedelta(days=days)
    )


async def test_a_list_filters_and_pages_without_gaps(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    verifier.caller = BACK_END
    await put(client, order(id="o2", code=concept("http://snomed.info/sct", "308447003")))
    await put(client, order(id="o3", subject=reference("Patient/p2")))
    for number in range(5):
        await send(client, verifier, id=f"mind-{number}")
    await send(client, verifier, id="body-0", focus=reference("ServiceRequest/o2"))
    await send(client, verifier, id="other-0", focus=reference("ServiceRequest/o3"), **{"for": reference("Patient/p2")})
    verifier.caller = BACK_END
    await put(client, task("draft", id="call", code={"text": "call back"}))
    verifier.caller = COORDINATOR
    everything = [*(f"mind-{number}" for number in range(5)), "body-0", "other-0"]
    assert await listed(client) == everything
    for name in ("open", "all", "awaiting-triage"):
        assert await listed(client, list=name, limit=2) == everything
    assert await listed(client, discipline="physical-therapy") == ["body-0"]
    assert await listed(client, discipline="mental-health", limit=2) == [*everything[:5], "other-0"]
    assert await listed(client, patient="Patient/p2") == await listed(client, patient="p2") == ["other-0"]
    assert await listed(client, status=["accepted", "received"], business_status="2.0", limit=3) == everything
    assert await listed(client, status="accepted,received", business_status=["3.0,2.0"], limit=3) == everything
    assert await listed(client, status=["accepted,rejected", "completed"]) == []
    assert await listed(client, owner="PractitionerRole/r-b", requester="Practitioner/lind") == everything
    verifier.caller = PATIENT
    assert await listed(client) == everything[:-1]
    assert await listed(client, patient="Patient/p2") == []


async def test_the_pressing_ones_are_triaged_first(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    for id, priority in (("calm", None), ("soon", "urgent"), ("now", "stat"), ("also-calm", "routine")):
        await send(client, verifier, id=id, **({"priority": priority} if priority else {}))
    verifier.caller = COORDINATOR
    for limit in (1, 2, 50):
        assert await listed(client, list="awaiting-triage", limit=limit) == ["now", "soon", "calm", "also-calm"]
    assert await listed(client, list="awaiting-triage", priority="routine") == ["calm", "also-calm"]


async def test_what_waits_too_long_is_overdue_and_silent_until_somebody_answers(
    client: httpx.AsyncClient, verifier: FixedVerifier, engine: Engine
) -> None:
    for number in range(3):
        await send(client, verifier, id=f"t{number}", **ROLE)
    await late(engine, "t1", days=2)
    await late(engine, "t0")
    verifier.caller = COORDINATOR
    assert await listed(client, list="overdue", limit=1) == await listed(client, list="silent") == ["t1", "t0"]
    answer = await client.get(API, params={"list": "overdue"})
    assert [line["overdue"] for line in answer.json()["referrals"]] == [True, True]
    verifier.caller = OWNER
    assert (await put(client, task("accepted", "3.0", id="t1", **ROLE), 1)).status_code == 200
    verifier.caller = COORDINATOR
    assert await listed(client, list="silent") == ["t0"]
    await late(engine, "t1", days=3)
    assert await listed(client, list="overdue") == ["t1", "t0"]
    assert (await client.get(f"{API}/counts")).json() == {
        "open": 3,
        "awaiting-triage": 2,
        "overdue": 2,
        "silent": 1,
        "returned": 0,
    }


async def test_mine_are_those_that_i_asked_for_or_that_i_or_what_stands_for_me_own(
    client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    verifier.caller = BACK_END
    service = {"resourceType": "HealthcareService", "id": "hs", "providedBy": reference("Organization/mind-centre")}
    assert (await put(client, service)).status_code == 201
    await send(client, verifier, id="by-role", **ROLE)
    await send(client, verifier, id="by-service", owner=reference("HealthcareService/hs"))
    await send(client, verifier, id="by-organization", owner=reference("Organization/mind-centre"))
    await send(client, verifier, id="elsewhere", owner=reference("Organization/elsewhere"))
    everything = ["by-role", "by-service", "by-organization", "elsewhere"]
    for caller, expected in ((REQUESTER, everything), (OWNER, everything[:3]), (STRANGER, everything[3:])):
        verifier.caller = caller
        assert await listed(client, list="mine", limit=2) == expected
    verifier.caller = COORDINATOR
    assert await listed(client, list="mine") == []
    verifier.caller = Caller("nobody", Role.COORDINATOR)
    assert await listed(client, list="mine") == []


def _cursor(since: str) -> str:
    return urlsafe_b64encode(json.dumps(["open", [since, "t1"]]).encode()).decode()


async def test_a_cursor_belongs_to_its_list(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    for number in range(2):
        await send(client, verifier, id=f"t{number}")
    verifier.caller = COORDINATOR
    cursor = (await client.get(API, params={"list": "open", "limit": 1})).json()["cursor"]
    beyond = [_cursor(moment) for moment in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00")]
    forged = (cursor[:-4], "W10", "x", *beyond)
    for name, token in (("overdue", cursor), ("all", cursor), *(("open", each) for each in forged)):
        answer = await client.get(API, params={"list": name, "cursor": token})
        assert (answer.status_code, answer.json()["issues"][0]["expression"]) == (400, ["query.cursor"])


async def test_an_export_has_every_referral_of_its_list_and_no_formula(
    client: httpx.AsyncClient, verifier: FixedVerifier, engine: Engine
) -> None:
    for number in range(3):
        await send(client, verifier, id=f"t{number}")
    await engine.pool.execute("UPDATE referral SET owner = '=1+1' WHERE task = 't1'")
    verifier.caller = COORDINATOR
    answer = await client.get(f"{API}/export", params={"list": "open"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    lines = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [line["task"] for line in lines] == ["Task/t0", "Task/t1", "Task/t2"]
    assert [line["owner"] for line in lines] == ["PractitionerRole/r-b", "'=1+1", "PractitionerRole/r-b"]
    assert {line["overdue"] for line in lines} == {"false"}
    assert lines[0]["since"].endswith("Z")


def test_the_index_of_unanswered_ones_is_of_what_the_lists_ask_for() -> None:
    assert "waits_for IN ({})".format(", ".join(f"'{wait}'" for wait in ANSWER)) == UNANSWERED
