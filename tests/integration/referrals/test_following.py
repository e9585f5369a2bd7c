"""How each referral stands, and what happened to it, is kept in the transaction that changes its Task."""

from typing import Any

import httpx
import pytest

from services.referrals.store import referrals
from shared.engine import Engine
from shared.unit_of_work import unit_of_work
from tests.factories.engine import FixedVerifier
from tests.factories.referrals import BACK_END, COORDINATOR, OWNER, REQUESTER, order, reference, task
from tests.integration.referrals.asking import API, furnish, put, send


@pytest.fixture(autouse=True)
async def directory(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await furnish(client, verifier)


async def timeline(client: httpx.AsyncClient, id: str = "t1") -> dict[str, Any]:
    answer = await client.get(f"{API}/{id}/timeline")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_every_change_is_told_with_who_made_it(
    client: httpx.AsyncClient, verifier: FixedVerifier, engine: Engine
) -> None:
    await send(client, verifier)
    verifier.caller = OWNER
    headers = {"If-Match": 'W/"1"'}
    assert (await client.post(f"{API}/t1/actions/accept", headers=headers)).status_code == 200
    verifier.caller = REQUESTER
    assert (await put(client, order(status="revoked"), 1)).status_code == 200
    found = await timeline(client)
    assert [(each["what"], each["who"], each["role"]) for each in found["moments"]] == [
        ("requested", "Practitioner/lind", "clinician"),
        ("accepted", "Practitioner/moss", "clinician"),
        ("cancellation-requested", "Practitioner/lind", "clinician"),
    ]
    assert found["moments"][-1]["reason"] == "The order was revoked."
    spells = [(each["status"], each["business_status"]) for each in found["spells"]]
    assert spells == [("received", "2.0"), ("accepted", "3.0"), ("in-progress", "5.2")]
    assert [each["until"] for each in found["spells"]][:-1] == [each["since"] for each in found["spells"]][1:]
    assert found["spells"][-1]["until"] is None
    standing = (await referrals.read(engine.pool, ["t1"]))["t1"]
    assert (standing.version, standing.waits_for, standing.discipline) == (3, "cancellation", "mental-health")
    assert standing.accepted_at is not None
    assert standing.owner == "PractitionerRole/r-b"


async def test_what_is_not_stored_is_not_followed(
    client: httpx.AsyncClient, verifier: FixedVerifier, engine: Engine
) -> None:
    verifier.caller = REQUESTER
    good = {"resource": task("requested", id="t2"), "request": {"method": "PUT", "url": "Task/t2"}}
    bad = {"resource": task("completed", id="t3"), "request": {"method": "PUT", "url": "Task/t3"}}
    answer = await client.post("", json={"resourceType": "Bundle", "type": "transaction", "entry": [good, bad]})
    assert answer.status_code == 422
    assert await referrals.read(engine.pool, ["t2", "t3"]) == {}
    assert await engine.pool.fetchval("SELECT count(*) FROM referral_moment") == 0


async def test_a_bundle_that_changes_a_referral_twice_leaves_what_came_last(
    client: httpx.AsyncClient, verifier: FixedVerifier, engine: Engine
) -> None:
    async with unit_of_work(engine, BACK_END) as work:
        await work.create(task("requested", id="t9"), id="t9")
        await work.update(task("accepted", id="t9", statusReason=None))
        await work.commit()
    standing = (await referrals.read(engine.pool, ["t9"]))["t9"]
    assert (standing.status, standing.version, standing.waits_for) == ("accepted", 2, "scheduling")
    assert [each["what"] for each in (await timeline(client, "t9"))["moments"]] == ["requested", "accepted"]


async def test_a_draft_that_is_deleted_stands_no_more(
    client: httpx.AsyncClient, verifier: FixedVerifier, engine: Engine
) -> None:
    verifier.caller = REQUESTER
    assert (await put(client, task("draft"))).status_code == 201
    assert (await referrals.read(engine.pool, ["t1"]))["t1"].waits_for is None
    assert (await client.delete("Task/t1")).status_code in (200, 204)
    assert await referrals.read(engine.pool, ["t1"]) == {}
    rows = await engine.pool.fetch("SELECT what FROM referral_moment WHERE task = 't1' ORDER BY number")
    assert [row["what"] for row in rows] == ["drafted", "deleted"]


async def test_other_tasks_are_not_followed_and_nothing_new_is_no_moment(
    client: httpx.AsyncClient, verifier: FixedVerifier, engine: Engine
) -> None:
    verifier.caller = BACK_END
    assert (await put(client, task("requested", id="call", code={"text": "call back"}))).status_code == 201
    assert await referrals.read(engine.pool, ["call"]) == {}
    await send(client, verifier)
    verifier.caller = COORDINATOR
    stored = (await client.get("Task/t1")).json()
    assert (await put(client, stored, 1)).status_code == 200
    assert [each["version"] for each in (await timeline(client))["moments"]] == [1]
    moved = stored | {"owner": reference("Organization/mind-centre")}
    assert (await put(client, moved, 2)).status_code == 200
    assert [each["what"] for each in (await timeline(client))["moments"]] == ["requested", "updated"]
    assert (await referrals.read(engine.pool, ["t1"]))["t1"].owner == "Organization/mind-centre"
