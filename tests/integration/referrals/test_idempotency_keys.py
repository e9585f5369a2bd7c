"""``Idempotency-Key``: a request that comes again, or several times at once, has one effect."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import httpx
import pytest

from services.referrals.retention import sweeps
from shared.engine import Engine
from shared.store.sweeping import sweep
from shared.unit_of_work import UnitOfWork
from tests.factories.engine import FixedVerifier
from tests.factories.referrals import COORDINATOR, OWNER, REQUESTER, task
from tests.integration.referrals.asking import API, furnish, put, send, told

KEY = '"8e03978e-40d5-43e8-bc93-6894a57f9324"'
REROUTE = {"owner": "Organization/elsewhere", "reason": "No place before summer."}


@pytest.fixture(autouse=True)
async def sent(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await furnish(client, verifier)
    await send(client, verifier)
    verifier.caller = OWNER


async def act(
    client: httpx.AsyncClient, action: str = "accept", *, version: int = 1, key: str = KEY, **inputs: str
) -> httpx.Response:
    headers = {"If-Match": f'W/"{version}"', "Idempotency-Key": key}
    return await client.post(f"{API}/t1/actions/{action}", json=inputs, headers=headers)


async def keys(engine: Engine) -> int:
    found: int = await engine.pool.fetchval("SELECT count(*) FROM idempotency_key")
    return found


async def versions(client: httpx.AsyncClient, id: str = "t1") -> int:
    total: int = (await client.get(f"Task/{id}/_history", params={"_summary": "count"})).json()["total"]
    return total


async def test_a_request_that_comes_again_is_answered_and_has_no_second_effect(
    client: httpx.AsyncClient, engine: Engine
) -> None:
    first = await act(client, comment="We will call.")
    assert (first.status_code, first.headers["etag"]) == (200, 'W/"2"')
    assert "idempotency-replayed" not in first.headers
    again = await act(client, comment="We will call.")
    assert (again.status_code, again.headers["etag"], again.json()) == (200, 'W/"2"', first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert len((await client.get("Task/t1")).json()["note"]) == 1
    assert await versions(client) == 2
    assert [type_ for type_, _ in await told(engine)] == ["referral.requested.v1", "referral.accepted.v1"]


async def test_a_repeated_answer_shows_the_referral_as_it_stands_now(client: httpx.AsyncClient) -> None:
    await act(client)
    answer = await act(client, "schedule", version=2, key="another")
    assert answer.json()["referral"]["version"] == 3
    again = await act(client)
    assert (again.headers["etag"], again.json()["referral"]["business_status"]) == ('W/"3"', "5.1.1")
    assert again.headers["idempotency-replayed"] == "true"


async def test_twelve_at_once_with_one_key_act_once_and_are_answered_alike(
    client: httpx.AsyncClient, engine: Engine, verifier: FixedVerifier
) -> None:
    answers = await asyncio.gather(*(act(client, comment="We will call.") for _ in range(12)))
    assert [answer.status_code for answer in answers] == 12 * [200]
    assert {answer.text for answer in answers} == {answers[0].text}
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
    assert (await versions(client), await keys(engine)) == (2, 1)


async def test_twelve_at_once_who_offer_it_elsewhere_make_one_new_referral(
    client: httpx.AsyncClient, engine: Engine, verifier: FixedVerifier
) -> None:
    verifier.caller = REQUESTER
    assert (await put(client, task("requested", id="t1") | {"id": "t2"})).status_code == 201
    headers = {"If-Match": 'W/"1"', "Idempotency-Key": KEY}
    url = f"{API}/t2/actions/reroute"
    answers = await asyncio.gather(*(client.post(url, json=REROUTE, headers=headers) for _ in range(12)))
    assert {answer.status_code for answer in answers} == {200}, answers[0].text
    (anew,) = {answer.json()["referral"]["task"] for answer in answers}
    assert anew not in ("Task/t1", "Task/t2")
    assert (await client.get("Task", params={"_summary": "count"})).json()["total"] == 3


@pytest.mark.parametrize(("at_commit", "acted"), [("after", True), ("before", False)])
async def test_whoever_lost_the_answer_asks_again_and_it_is_done_once(
    client: httpx.AsyncClient, engine: Engine, monkeypatch: pytest.MonkeyPatch, at_commit: str, acted: bool
) -> None:
    commit: Callable[[UnitOfWork], Awaitable[None]] = UnitOfWork.commit

    async def killed(work: UnitOfWork) -> None:
        if at_commit == "after":
            await commit(work)
        raise ConnectionResetError

    with monkeypatch.context() as patched:
        patched.setattr(UnitOfWork, "commit", killed)
        assert (await act(client)).status_code == 503
    assert (await versions(client), await keys(engine)) == ((2, 1) if acted else (1, 0))
    again = await act(client)
    assert (again.status_code, again.json()["referral"]["status"]) == (200, "accepted")
    assert ("idempotency-replayed" in again.headers) is acted
    assert (await versions(client), await keys(engine)) == (2, 1)


@pytest.mark.parametrize(
    ("action", "version", "inputs", "status"),
    [("accept", 9, {}, 412), ("complete", 1, {}, 409), ("decline", 1, {}, 422), ("recall", 1, {"reason": "x"}, 403)],
)
async def test_a_refused_request_leaves_its_key_free(
    client: httpx.AsyncClient, engine: Engine, action: str, version: int, inputs: dict[str, str], status: int
) -> None:
    for _ in range(2):
        assert (await act(client, action, version=version, **inputs)).status_code == status
    assert await keys(engine) == 0
    answer = await act(client)
    assert (answer.status_code, "idempotency-replayed" in answer.headers) == (200, False)


async def test_of_several_at_once_who_are_refused_each_hears_why(client: httpx.AsyncClient, engine: Engine) -> None:
    answers = await asyncio.gather(*(act(client, "decline") for _ in range(6)))
    assert {answer.status_code for answer in answers} == {422}
    assert {answer.json()["issues"][0]["expression"][0] for answer in answers} == {"body.reason"}
    assert await keys(engine) == 0


async def test_a_key_belongs_to_one_request(client: httpx.AsyncClient) -> None:
    assert (await act(client)).status_code == 200
    for answer in (
        await act(client, comment="Another word."),
        await act(client, "schedule", version=2),
        await client.post(f"{API}/absent/actions/accept", json={}, headers={"Idempotency-Key": KEY}),
    ):
        assert answer.status_code == 422, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        (issue,) = answer.json()["issues"]
        assert issue["expression"] == ["header.idempotency-key"]
        assert "8e03978e" not in answer.text
    assert await versions(client) == 2


async def test_two_requests_at_once_under_one_key_are_one_effect(client: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(act(client, comment=f"Word {number % 2}") for number in range(8)))
    assert sorted(answer.status_code for answer in answers) == 4 * [200] + 4 * [422]
    assert await versions(client) == 2


async def test_a_key_is_its_callers(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    assert (await act(client)).status_code == 200
    verifier.caller = COORDINATOR
    answer = await act(client, "request-cancellation", version=2, reason="Moved away.")
    assert (answer.status_code, "idempotency-replayed" in answer.headers) == (200, False)


async def test_a_key_may_come_with_quotes_or_without(client: httpx.AsyncClient) -> None:
    assert (await act(client, key='"k-1"')).status_code == 200
    assert (await act(client, key="k-1")).headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize("key", ["", '""', '"', '"a', "a b", '"a\\"b"', "é", 129 * "x", '"a", "b"', '"a";p=1'])
async def test_a_malformed_key_is_refused(client: httpx.AsyncClient, key: str) -> None:
    headers = [(b"if-match", b'W/"1"'), (b"idempotency-key", key.encode())]
    answer = await client.post(f"{API}/t1/actions/accept", json={}, headers=headers)
    assert answer.status_code == 400, answer.text
    assert answer.json()["issues"][0]["expression"] == ["header.idempotency-key"]
    assert await versions(client) == 1


async def test_two_keys_are_refused(client: httpx.AsyncClient) -> None:
    headers = [("If-Match", 'W/"1"'), ("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    assert (await client.post(f"{API}/t1/actions/accept", json={}, headers=headers)).status_code == 400


async def test_nothing_of_a_request_can_be_read_out_of_its_key(client: httpx.AsyncClient, engine: Engine) -> None:
    await act(client, key="robin-moves", comment="Robin moves to the sea.")
    row = await engine.pool.fetchrow("SELECT * FROM idempotency_key")
    assert row is not None
    assert (row["caller"], row["task"], row["version"], row["status"]) == (OWNER.subject, "t1", 2, 200)
    assert (len(row["key"]), len(row["request"])) == (32, 32)
    assert "obin" not in str(dict(row))


async def test_keys_are_let_go_of_after_two_days(client: httpx.AsyncClient, engine: Engine) -> None:
    await act(client, key="old")
    await act(client, "schedule", version=2, key="lately")
    for hours, expected in ((47, 0), (2, 1)):
        age = "UPDATE idempotency_key SET at = at - $1::interval WHERE version = 2"
        await engine.pool.execute(age, timedelta(hours=hours))
        await engine.pool.execute("UPDATE retention_sweep SET due_at = '-infinity'")
        (one,) = sweeps()
        assert await sweep(engine.pool, one, "w1", asyncio.Event(), share=1) == expected
    assert await keys(engine) == 1
    assert (await act(client, "schedule", version=2, key="lately")).headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize("days", ["0", "91", "x"])
def test_keys_are_kept_for_a_day_at_least(monkeypatch: pytest.MonkeyPatch, days: str) -> None:
    monkeypatch.setenv("CONSILIUM_RETENTION_IDEMPOTENCY_DAYS", days)
    with pytest.raises(ValueError, match="retention_idempotency_days"):
        list(sweeps())
