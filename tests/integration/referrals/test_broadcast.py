"""A referral offered to several at once, over REST and FHIR: the first to accept it has it, however many come."""

import asyncio
from collections import Counter

import httpx
import pytest

from services.referrals.main import SERVICE
from shared.engine import Engine
from shared.security.caller import Caller, Discipline, Role
from tests.factories.engine import FixedVerifier, client_of
from tests.factories.referrals import COORDINATOR, OWNER, REQUESTER, STRANGER, task
from tests.integration.referrals.asking import API, furnish, put, told

TAKERS = (
    OWNER,
    STRANGER,
    Caller("dr-third", Role.CLINICIAN, Discipline.MENTAL_HEALTH, None, "Organization/pain-clinic"),
)
OFFER = {"recipients": "Organization/mind-centre Organization/elsewhere Organization/pain-clinic"}


@pytest.fixture(autouse=True)
async def directory(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await furnish(client, verifier)


async def act(client: httpx.AsyncClient, id: str, action: str, version: int, **inputs: str) -> httpx.Response:
    headers = {"If-Match": f'W/"{version}"'}
    return await client.post(f"{API}/{id}/actions/{action}", json=inputs, headers=headers)


async def offer(client: httpx.AsyncClient, verifier: FixedVerifier, id: str) -> None:
    """Sent to one, then offered to three."""
    verifier.caller = REQUESTER
    assert (await put(client, task(id=id))).status_code == 201
    answer = await act(client, id, "offer", 1, **OFFER)
    assert answer.status_code == 200, answer.text
    assert answer.json()["referral"]["owner"] is None


async def offers_of(client: httpx.AsyncClient) -> list[str]:
    answer = await client.get(API, params={"list": "offered"})
    assert answer.status_code == 200, answer.text
    return [line["task"].removeprefix("Task/") for line in answer.json()["referrals"]]


async def test_of_several_who_accept_at_once_one_has_it(
    client: httpx.AsyncClient, verifier: FixedVerifier, engine: Engine
) -> None:
    for round_ in range(8):
        id = f"t{round_}"
        await offer(client, verifier, id)
        verifiers = [FixedVerifier(caller) for caller in TAKERS]

        async def accept(known: FixedVerifier, id: str = id) -> httpx.Response:
            async with client_of(engine, SERVICE, known) as own:
                return await act(own, id, "accept", 2)

        answers = await asyncio.gather(*(accept(known) for known in verifiers))
        statuses = Counter(answer.status_code for answer in answers)
        assert statuses[200] == 1, [answer.text for answer in answers]
        assert set(statuses) <= {200, 403, 409, 412}
        verifier.caller = COORDINATOR
        referral = (await client.get(f"{API}/{id}")).json()["referral"]
        winner = next(answer for answer in answers if answer.status_code == 200)
        assert (referral["status"], referral["owner"]) == ("accepted", winner.json()["referral"]["owner"])
        kept = (await client.get(f"Task/{id}")).json()["restriction"]["recipient"]
        assert len(kept) == 1
    assert Counter(type_ for type_, _ in await told(engine))["referral.accepted.v1"] == 8


async def test_an_offer_is_on_the_list_of_those_who_have_it_until_somebody_takes_it(
    client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    await offer(client, verifier, "t1")
    for caller in TAKERS:
        verifier.caller = caller
        assert await offers_of(client) == ["t1"]
    verifier.caller = OWNER
    answer = await act(client, "t1", "give-back", 2, comment="We have no place.")
    assert answer.status_code == 200, answer.text
    assert await offers_of(client) == []
    verifier.caller = STRANGER
    assert await offers_of(client) == ["t1"]
    assert (await act(client, "t1", "accept", 3)).status_code == 200
    for caller in TAKERS:
        verifier.caller = caller
        assert await offers_of(client) == []
    verifier.caller = OWNER
    assert (await act(client, "t1", "accept", 4)).status_code == 403
