"""Who opens a referral, over FHIR: the roles behind an order and a parent Task are looked up."""

from typing import Any

import httpx
import pytest

from shared.engine import Engine
from shared.security.caller import Caller
from tests.factories.engine import FixedVerifier
from tests.factories.referrals import BACK_END, OWNER, REQUESTER, STRANGER, order, practitioner_role, reference, task
from tests.factories.resources import bundle, entry
from tests.integration.referrals.asking import furnish, put, send, told

ROLE = practitioner_role("r-a", "Practitioner/lind", "Organization/pain-clinic")
PART = {"id": "t2", "partOf": [reference("Task/t1")], "owner": reference("Organization/elsewhere")}


@pytest.fixture(autouse=True)
async def directory(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await furnish(client, verifier)


def _opened(by: Caller, **more: Any) -> dict[str, Any]:
    assert by.fhir_user is not None
    return task(**{"requester": reference(by.fhir_user)} | more)


async def test_another_clinician_opens_nothing_on_an_order(
    client: httpx.AsyncClient, verifier: FixedVerifier, engine: Engine
) -> None:
    verifier.caller = STRANGER
    opened = _opened(STRANGER)
    absolute = opened | {"focus": reference("http://test/fhir/ServiceRequest/o1")}
    for refused in (await put(client, opened), await put(client, absolute), await client.post("Task", json=opened)):
        assert refused.status_code == 403
        assert refused.json()["issue"][0]["code"] == "forbidden"
    sent = bundle("transaction", entry("POST", "Task", opened))
    assert (await client.post("", json=sent)).status_code == 403
    assert (await client.get("Task/t1")).status_code == 404
    assert await told(engine) == []


async def test_the_role_behind_the_order_is_looked_up(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    verifier.caller = BACK_END
    assert (await put(client, ROLE)).status_code == 201
    assert (await put(client, order(id="o2", requester=reference("PractitionerRole/r-a")))).status_code == 201
    focus = reference("ServiceRequest/o2")
    for caller, status in ((STRANGER, 403), (REQUESTER, 201)):
        verifier.caller = caller
        assert (await put(client, _opened(caller, focus=focus))).status_code == status


async def test_the_owner_passes_a_referral_on_as_part_of_it(
    client: httpx.AsyncClient, verifier: FixedVerifier, engine: Engine
) -> None:
    await send(client, verifier)
    for caller, status in ((STRANGER, 403), (OWNER, 201)):
        verifier.caller = caller
        assert (await put(client, _opened(caller, **PART))).status_code == status
    assert await told(engine) == [("referral.requested.v1", "Task/t1"), ("referral.requested.v1", "Task/t2")]


async def test_an_order_and_its_referral_come_in_one_transaction(
    client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    verifier.caller = STRANGER
    ordered = order(id="o2", requester=reference("Practitioner/far"))
    opened = _opened(STRANGER, focus=reference("ServiceRequest/o2"))
    sent = bundle("transaction", entry("PUT", "Task/t1", opened), entry("PUT", "ServiceRequest/o2", ordered))
    assert (await client.post("", json=sent)).status_code == 200
