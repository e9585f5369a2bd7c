"""What a coordinator asks for and misspells is refused, and what they leave out is taken from where it stands."""

import httpx
import pytest

from tests.factories.engine import FixedVerifier
from tests.factories.referrals import BACK_END, COORDINATOR, REQUESTER, order, reference, task
from tests.integration.referrals.asking import API, furnish, put


@pytest.fixture(autouse=True)
async def directory(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await furnish(client, verifier)


@pytest.mark.parametrize(
    ("path", "declared"),
    [
        ("?prioirty=urgent", "priority"),
        ("?Status=requested", "status"),
        ("/counts?bogus=1", "discipline"),
        ("/export?format=xlsx", "list"),
        ("/statistics?since=2026-01-01&until=2026-12-31&group=month", "by"),
    ],
)
async def test_a_parameter_that_is_not_declared_is_refused(
    client: httpx.AsyncClient, verifier: FixedVerifier, path: str, declared: str
) -> None:
    verifier.caller = COORDINATOR
    answer = await client.get(f"{API}{path}")
    assert (answer.status_code, answer.json()["issues"][0]["expression"]) == (422, ["query"])
    assert declared in answer.json()["detail"]
    assert path.partition("?")[2].rpartition("&")[2].partition("=")[0] not in answer.json()["detail"]


@pytest.mark.parametrize(
    ("of_order", "of_task", "counts"),
    [("urgent", None, "urgent"), ("urgent", "stat", "stat"), (None, "asap", "asap"), (None, None, "routine")],
)
async def test_a_referral_without_a_priority_has_that_of_its_order(
    client: httpx.AsyncClient, verifier: FixedVerifier, of_order: str | None, of_task: str | None, counts: str
) -> None:
    verifier.caller = REQUESTER
    await put(client, order(id="o9", **({"priority": of_order} if of_order else {})))
    asked = task("requested", id="t1", focus=reference("ServiceRequest/o9"), statusReason=None, priority=of_task)
    await put(client, asked)
    verifier.caller = COORDINATOR
    found = (await client.get(API, params={"priority": counts})).json()["referrals"]
    assert [(each["task"], each["priority"]) for each in found] == [("Task/t1", counts)]
    verifier.caller = BACK_END
    stored = (await client.get("Task/t1")).json()
    assert stored.get("priority") == (of_task or of_order)
