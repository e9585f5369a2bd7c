"""``$match`` on a referral and on an order, over FHIR."""

from typing import Any

import httpx
import pytest

from tests.factories.directory import service
from tests.factories.engine import FixedVerifier
from tests.factories.referrals import COORDINATOR, PATIENT, order, reference
from tests.integration.referrals.asking import furnish, send
from tests.integration.referrals.matching import store


@pytest.fixture(autouse=True)
async def directory(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await furnish(client, verifier)
    await store(client, verifier, service("near"), service("closed", active=False))
    await send(client, verifier)
    await send(client, verifier, id="t2")
    verifier.caller = COORDINATOR


def told(answer: httpx.Response, name: str) -> list[dict[str, Any]]:
    """The parameters of a name, as their parts by name."""
    assert answer.status_code == 200, answer.text
    found = [each["part"] for each in answer.json()["parameter"] if each["name"] == name]
    return [{part["name"]: part for part in parts} for parts in found]


@pytest.mark.parametrize("path", ["Task/t1", "ServiceRequest/o1"])
async def test_it_tells_who_can_take_it_who_cannot_and_why(client: httpx.AsyncClient, path: str) -> None:
    for answer in (await client.get(f"{path}/$match"), await client.post(f"{path}/$match")):
        [match] = told(answer, "match")
        assert match["service"]["valueReference"] == {"reference": "HealthcareService/near"}
        assert 0 < match["score"]["valueDecimal"] <= 1
        [excluded] = told(answer, "excluded")
        assert excluded["because"]["part"][0]["valueCode"] == "inactive"
        warnings = [
            (each["code"]["valueCode"], each["reference"]["valueReference"]) for each in told(answer, "warning")
        ]
        assert ("duplicate", {"reference": "Task/t2"}) in warnings


async def test_what_the_caller_may_not_see_is_not_there(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    verifier.caller = COORDINATOR
    assert (await client.get("Task/absent/$match")).status_code == 404
    await store(client, verifier, order(id="o2", subject=reference("Patient/p2")))
    verifier.caller = PATIENT
    assert (await client.get("ServiceRequest/o2/$match")).status_code == 404
