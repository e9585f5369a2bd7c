"""A message that comes twice at once has its effect once, and both are told so."""

import asyncio

import pytest

from shared.fhir.json import Resource
from tests.factories.messages import message
from tests.factories.town import Town


def told(answer: Resource) -> Resource:
    """What the response says."""
    response: Resource = answer["entry"][0]["resource"]["response"]
    return response


@pytest.mark.parametrize("address", ["/fhir", "/fhir/$process-message"])
async def test_the_one_that_comes_later_is_a_repetition(three: Town, address: str) -> None:
    """Both are planned before either is stored: the later one's patient would be another than that of the order."""
    sender = {"resourceType": "Organization", "name": "The sender", "identifier": [{"system": "urn:x", "value": "o"}]}
    await three.client.post("/fhir/Organization", json=sender)
    planned, other_is_stored = asyncio.Event(), asyncio.Event()

    async def first_waits(step: str, when: str) -> None:
        if (step, when) == ("prepare", "before") and not planned.is_set():
            planned.set()
            await other_is_stored.wait()

    three.lines["referrals"].fault = first_waits
    late = asyncio.create_task(three.client.post(address, json=message("1")))
    await asyncio.wait_for(planned.wait(), 20)
    answer = await three.client.post(address, json=message("1"))
    assert answer.status_code == 200, answer.text
    stored = await three.stored()
    other_is_stored.set()
    later = await late
    assert later.status_code == 200, later.text
    assert told(later.json()) == told(answer.json()) == {"identifier": "header-1", "code": "ok"}
    assert await three.stored() == stored
    assert await three.prepared() == 0


async def test_another_message_is_still_refused_by_the_rules(three: Town) -> None:
    assert (await three.client.post("/fhir", json=message("1"))).status_code == 200
    stored = await three.stored()
    answer = await three.client.post("/fhir", json=message("2", "rejected"))
    assert answer.status_code in (409, 422), answer.text
    assert await three.stored() == stored


async def test_many_at_once_have_one_effect(three: Town) -> None:
    answers = await asyncio.gather(*(three.client.post("/fhir", json=message("1")) for _ in range(5)))
    assert {answer.status_code for answer in answers} <= {200, 409}, [answer.text for answer in answers]
    assert 200 in {answer.status_code for answer in answers}
    assert (await three.client.post("/fhir", json=message("1"))).status_code == 200
    found = (await three.client.get("/fhir/Task")).json()["entry"]
    assert [one["resource"]["meta"]["versionId"] for one in found] == ["1"]
