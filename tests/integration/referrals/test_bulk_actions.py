"""``POST /api/referrals/bulk``: one action on many, a result for each, and none in the way of another."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from services.referrals.api.bulk import MOST_ITEMS
from services.referrals.app.bulk import AT_ONCE
from services.referrals.app.commands import take
from shared.engine import Engine
from shared.store.resources import Stored
from shared.unit_of_work import UnitOfWork
from tests.factories.engine import FixedVerifier
from tests.factories.referrals import BACK_END, COORDINATOR, OWNER, PATIENT, REQUESTER, reference, task
from tests.integration.referrals.asking import API, furnish, put, send, told

ASSIGN = {"owner": "Organization/elsewhere"}
Commit = Callable[[UnitOfWork], Awaitable[None]]


@pytest.fixture(autouse=True)
async def directory(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await furnish(client, verifier)


async def sent(client: httpx.AsyncClient, verifier: FixedVerifier, many: int) -> None:
    """Referrals t0, t1, ... and a coordinator who looks at them."""
    for number in range(many):
        await send(client, verifier, id=f"t{number}")
    verifier.caller = COORDINATOR


async def bulk(
    client: httpx.AsyncClient, *items: tuple[str, int], action: str = "assign", key: str | None = None, **inputs: str
) -> httpx.Response:
    wanted = [{"task": task, "version": version} for task, version in items]
    body = {"action": action, "inputs": inputs, "items": wanted}
    return await client.post(f"{API}/bulk", json=body, headers={} if key is None else {"Idempotency-Key": key})


def results(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


async def versions(client: httpx.AsyncClient, many: int) -> list[str]:
    return [(await client.get(f"Task/t{number}")).json()["meta"]["versionId"] for number in range(many)]


async def test_many_are_handed_over_at_once(client: httpx.AsyncClient, verifier: FixedVerifier, engine: Engine) -> None:
    await sent(client, verifier, 12)
    lines = (await client.get(API)).json()["referrals"]
    answer = await bulk(client, *((line["task"], line["version"]) for line in lines), **ASSIGN)
    assert results(answer) == [
        {"task": f"Task/t{number}", "status": 200, "referral": f"Task/t{number}", "etag": 'W/"2"'}
        for number in range(12)
    ]
    assert (answer.json()["done"], answer.json()["refused"]) == (12, 0)
    assert {line["owner"] for line in (await client.get(API)).json()["referrals"]} == {"Organization/elsewhere"}
    assert [type_ for type_, _ in await told(engine)].count("referral.updated.v1") == 12


async def test_each_is_refused_as_it_would_be_alone_and_the_others_are_done(
    client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    await sent(client, verifier, 4)
    verifier.caller = OWNER
    await client.post(f"{API}/t1/actions/decline", json={"reason": "x"}, headers={"If-Match": 'W/"1"'})
    verifier.caller = BACK_END
    assert (await put(client, task("draft", id="gone"))).status_code == 201
    await client.delete("Task/gone")
    verifier.caller = COORDINATOR
    items = (("t0", 1), ("t1", 2), ("absent", 1), ("t2", 7), ("gone", 1), ("Task/t3", 1))
    answer = await bulk(client, *items, **ASSIGN)
    assert [result["status"] for result in results(answer)] == [200, 409, 404, 412, 410, 200]
    assert (answer.json()["done"], answer.json()["refused"]) == (2, 4)
    for result, (id_, version) in zip(results(answer), items, strict=True):
        assert result["task"] == f"Task/{id_.removeprefix('Task/')}"
        if result["status"] != 200:
            headers = {"If-Match": f'W/"{version}"'}
            alone = await client.post(f"{API}/{id_}/actions/assign", json=ASSIGN, headers=headers)
            assert alone.status_code == result["status"]
            assert result["problem"] == alone.json()
            assert "etag" not in result
    assert await versions(client, 4) == ["2", "2", "1", "2"]


async def test_inputs_are_judged_for_each(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await sent(client, verifier, 2)
    found = results(await bulk(client, ("t0", 1), ("t1", 1)))
    assert [result["status"] for result in found] == [422, 422]
    assert found[0]["problem"]["issues"][0]["expression"] == ["body.inputs.owner"]
    found = results(await bulk(client, ("t0", 1), owner="Organization/absent"))
    assert (found[0]["status"], found[0]["problem"]["issues"][0]["expression"]) == (422, ["Task.owner"])


async def test_whoever_may_not_is_told_for_each(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await sent(client, verifier, 2)
    verifier.caller = PATIENT
    found = results(await bulk(client, ("t0", 1), ("t1", 1), action="acknowledge"))
    assert [result["status"] for result in found] == [403, 403]
    assert await versions(client, 2) == ["1", "1"]


async def test_what_is_offered_to_somebody_else_tells_the_new_referral(
    client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    verifier.caller = REQUESTER
    for number in range(3):
        assert (await put(client, task("requested", id=f"t{number}"))).status_code == 201
    items = [(f"t{number}", 1) for number in range(3)]
    found = results(await bulk(client, *items, action="reroute", reason="No place.", **ASSIGN))
    assert {result["etag"] for result in found} == {'W/"1"'}
    for result in found:
        anew = (await client.get(f"{API}/{result['referral'].removeprefix('Task/')}")).json()["referral"]
        assert anew["replaces"] == result["task"]


async def test_one_that_loses_the_database_does_not_hinder_the_others(
    client: httpx.AsyncClient, verifier: FixedVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sent(client, verifier, 5)
    lose_one(monkeypatch, ConnectionResetError())
    found = results(await bulk(client, *((f"t{number}", 1) for number in range(5)), **ASSIGN))
    assert sorted(result["status"] for result in found) == [200, 200, 200, 200, 503]


async def test_an_error_that_nobody_foresaw_is_told_when_the_others_are_done(
    client: httpx.AsyncClient, verifier: FixedVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sent(client, verifier, 5)
    lose_one(monkeypatch, RuntimeError())
    answer = await bulk(client, *((f"t{number}", 1) for number in range(5)), **ASSIGN)
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert sorted(await versions(client, 5)) == ["1", "2", "2", "2", "2"]


def lose_one(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """The first commit from here on fails with ``error``."""
    commit: Commit = UnitOfWork.commit
    lost = [error]

    async def losing(work: UnitOfWork) -> None:
        if lost:
            raise lost.pop()
        await commit(work)

    monkeypatch.setattr(UnitOfWork, "commit", losing)


async def test_few_are_under_way_together(
    client: httpx.AsyncClient, verifier: FixedVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sent(client, verifier, 12)
    under_way = [0]
    seen = list[int]()

    async def counting(*arguments: Any) -> Stored:
        under_way[0] += 1
        seen.append(under_way[0])
        await asyncio.sleep(0.01)
        under_way[0] -= 1
        return await take(*arguments)

    monkeypatch.setattr("services.referrals.app.bulk.take", counting)
    results(await bulk(client, *((f"t{number}", 1) for number in range(12)), **ASSIGN))
    assert (len(seen), max(seen)) == (12, AT_ONCE)


async def test_under_a_key_nothing_is_done_twice_and_the_rest_is_done(
    client: httpx.AsyncClient, verifier: FixedVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sent(client, verifier, 4)
    items = [(f"t{number}", 1) for number in range(4)]
    with monkeypatch.context() as patched:
        lose_one(patched, ConnectionResetError())
        first = results(await bulk(client, *items, key="k", comment="Moved.", **ASSIGN))
    assert sum(result["status"] == 200 for result in first) == 3
    verifier.caller = BACK_END
    assert (await client.post(f"{API}/t3/notes", json={"text": "x"})).status_code == 201
    verifier.caller = COORDINATOR
    await client.post(f"{API}/t0/notes", json={"text": "x"})
    answer = await bulk(client, *items, key="k", comment="Moved.", **ASSIGN)
    second = results(answer)
    assert [result.get("replayed", False) for result in second] == [result["status"] == 200 for result in first]
    assert "idempotency-replayed" not in answer.headers
    for result in second:
        if result["status"] == 200:
            (at,) = [await client.get(f"{API}/{result['task'].removeprefix('Task/')}")]
            assert result["etag"] == at.headers["etag"]
    notes = [(await client.get(f"{API}/t{number}/notes")).json()["notes"] for number in range(4)]
    assert all([note["text"] for note in each].count("Moved.") <= 1 for each in notes)


async def test_the_same_bulk_request_at_once_is_done_once(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await sent(client, verifier, 6)
    items = [(f"t{number}", 1) for number in range(6)]
    answers = await asyncio.gather(*(bulk(client, *items, key="k", comment="Moved.", **ASSIGN) for _ in range(8)))
    assert {result["status"] for answer in answers for result in results(answer)} == {200}
    assert {result["etag"] for answer in answers for result in results(answer)} == {'W/"2"'}
    again = await bulk(client, *items, key="k", comment="Moved.", **ASSIGN)
    assert again.headers["idempotency-replayed"] == "true"
    assert await versions(client, 6) == 6 * ["2"]


async def test_another_bulk_request_under_the_key_is_refused_as_a_whole(
    client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    await sent(client, verifier, 3)
    results(await bulk(client, ("absent", 1), ("t0", 1), key="k", **ASSIGN))
    answer = await bulk(client, ("t1", 1), ("t2", 1), key="k", **ASSIGN)
    assert (answer.status_code, answer.json()["issues"][0]["expression"]) == (422, ["header.idempotency-key"])
    headers = {"Idempotency-Key": "k", "If-Match": 'W/"1"'}
    assert (await client.post(f"{API}/t1/actions/assign", json=ASSIGN, headers=headers)).status_code == 422
    assert await versions(client, 3) == ["2", "1", "1"]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"items": []}, "body.items"),
        ({"items": None}, "body.items"),
        ({"items": (MOST_ITEMS + 1) * [{"task": "t1", "version": 1}]}, "body.items"),
        ({"items": [{"task": "t1"}]}, "body.items.0.version"),
        ({"items": [{"task": "t1", "version": 0}]}, "body.items.0.version"),
        ({"items": [{"task": "t1", "version": 10**9}]}, "body.items.0.version"),
        ({"items": [{"task": "Patient/t1", "version": 1}]}, "body.items.0.task"),
        ({"items": [{"task": "t1", "version": 1}, {"task": "Task/t1", "version": 2}]}, "body.items.1.task"),
        ({"items": [{"task": "t1", "version": 1, "more": 1}]}, "body.items.0"),
        ({"action": "bogus"}, "body.action"),
        ({"inputs": {"bogus": "x"}}, "body.inputs"),
        ({"bogus": 1}, "body"),
    ],
)
async def test_what_is_no_bulk_request_is_refused_as_a_whole(
    client: httpx.AsyncClient, verifier: FixedVerifier, change: dict[str, Any], where: str
) -> None:
    verifier.caller = COORDINATOR
    body = {"action": "acknowledge", "items": [{"task": "t1", "version": 1}]} | change
    answer = await client.post(f"{API}/bulk", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["issues"][0]["expression"] == [where]
    assert "bogus" not in answer.text


async def test_two_hundred_are_done(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    verifier.caller = BACK_END
    entries = [
        {"request": {"method": "PUT", "url": f"Task/t{number}"}, "resource": task("requested", id=f"t{number}")}
        for number in range(MOST_ITEMS)
    ]
    answer = await client.post("", json={"resourceType": "Bundle", "type": "transaction", "entry": entries})
    assert answer.status_code == 200, answer.text
    verifier.caller = COORDINATOR
    answer = await bulk(client, *((f"t{number}", 1) for number in range(MOST_ITEMS)), **ASSIGN)
    assert (answer.status_code, answer.json()["done"]) == (200, MOST_ITEMS)
    assert [result["task"] for result in results(answer)] == [f"Task/t{number}" for number in range(MOST_ITEMS)]
    owner = (await client.get("Task/t199")).json()["owner"]
    assert owner == reference("Organization/elsewhere")
