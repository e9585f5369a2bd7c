"""An order and its referrals change together, in one transaction, whoever comes first."""

import asyncio
from typing import Any

import httpx
import pytest

from shared.engine import Engine
from tests.factories.engine import FixedVerifier
from tests.factories.referrals import BACK_END, COORDINATOR, OWNER, REQUESTER, business, order, reference, task
from tests.integration.referrals.asking import API, furnish, put, send, told


@pytest.fixture(autouse=True)
async def directory(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await furnish(client, verifier)


async def now(client: httpx.AsyncClient, path: str) -> dict[str, Any]:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_revoking_an_order_takes_its_referral_back(
    client: httpx.AsyncClient, verifier: FixedVerifier, engine: Engine
) -> None:
    await send(client, verifier)
    assert (await put(client, order(status="revoked"), 1)).status_code == 200
    referral = await now(client, "Task/t1")
    assert (referral["status"], referral["businessStatus"]) == ("in-progress", business("5.2"))
    assert referral["meta"]["versionId"] == "2"
    assert (await told(engine))[-1] == ("referral.cancellation-requested.v1", "Task/t1")
    accounts = [each["resource"] for each in (await now(client, "Provenance?target=Task/t1"))["entry"]]
    assert [each["reference"] for each in accounts[-1]["target"]] == [
        "ServiceRequest/o1/_history/2",
        "Task/t1/_history/2",
    ]


async def test_completing_the_referral_by_a_patch_completes_the_order(
    client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    verifier.caller = BACK_END
    assert (await put(client, task("in-progress"))).status_code == 201
    verifier.caller = OWNER
    patch = [{"op": "replace", "path": "/status", "value": "completed"}, {"op": "remove", "path": "/statusReason"}]
    headers = {"If-Match": 'W/"1"', "Content-Type": "application/json-patch+json"}
    answer = await client.patch("Task/t1", json=patch, headers=headers)
    assert answer.status_code == 200, answer.text
    assert (await now(client, "ServiceRequest/o1"))["status"] == "completed"


async def test_sending_puts_a_draft_order_in_force(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    verifier.caller = REQUESTER
    assert (await put(client, order(id="o2", status="draft"))).status_code == 201
    await send(client, verifier, focus=reference("ServiceRequest/o2"))
    assert (await now(client, "ServiceRequest/o2"))["status"] == "active"


async def test_a_bundle_that_asks_for_what_it_takes_back_is_refused_whole(
    client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    """What is staged, and not in the database yet, counts."""
    verifier.caller = REQUESTER
    asks = {"resource": task("requested"), "request": {"method": "POST", "url": "Task"}}
    revokes = {"method": "PUT", "url": "ServiceRequest/o1", "ifMatch": 'W/"1"'}
    entries = [asks, {"resource": order(status="revoked"), "request": revokes}]
    answer = await client.post("", json={"resourceType": "Bundle", "type": "transaction", "entry": entries})
    assert answer.status_code == 422, answer.text
    assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[0].resource.Task.focus"]
    assert (await now(client, "ServiceRequest/o1"))["status"] == "active"


async def test_whoever_is_first_no_referral_of_a_revoked_order_goes_on(
    client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    """One revokes, one asks for the cancellation, and one asks another service, all at the same moment."""
    asked_for = {"reason": "Moved away."}
    verifier.caller = BACK_END
    for number in range(12):
        asked = order(id=f"r{number}")
        focus = reference(f"ServiceRequest/r{number}")
        assert (await put(client, asked)).status_code == 201
        assert (await put(client, task("received", "2.0", id=f"a{number}", focus=focus))).status_code == 201
        verifier.caller = COORDINATOR
        revoked, cancelled, again = await asyncio.gather(
            put(client, asked | {"status": "revoked"}, 1),
            client.post(f"{API}/a{number}/actions/request-cancellation", json=asked_for, headers={"If-Match": 'W/"1"'}),
            put(client, task("requested", id=f"b{number}", focus=focus)),
        )
        assert revoked.status_code == 200, revoked.text
        assert cancelled.status_code in (200, 412), cancelled.text
        assert again.status_code in (201, 422), again.text
        assert (await now(client, f"Task/a{number}"))["businessStatus"] == business("5.2")
        if again.status_code == 201:
            assert (await now(client, f"Task/b{number}"))["status"] == "cancelled"
        verifier.caller = BACK_END


async def test_of_two_that_are_completed_at_once_the_last_completes_the_order(
    client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    for number in range(12):
        verifier.caller = BACK_END
        assert (await put(client, order(id=f"r{number}"))).status_code == 201
        both = [
            task("in-progress", id=f"{name}{number}", focus=reference(f"ServiceRequest/r{number}"), statusReason=None)
            for name in "ab"
        ]
        for one in both:
            assert (await put(client, one)).status_code == 201
        verifier.caller = OWNER
        answers = await asyncio.gather(*(put(client, one | {"status": "completed"}, 1) for one in both))
        assert [answer.status_code for answer in answers] == [200, 200]
        done = await now(client, f"ServiceRequest/r{number}")
        assert (done["status"], done["meta"]["versionId"]) == ("completed", "2")
