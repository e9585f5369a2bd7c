"""The REST API of notifications: preferences, messages, the stream, deliveries; and who may what."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from standardwebhooks import Webhook

from services.notifications.channels.stream import feed
from services.notifications.domain.preferences import Channel
from shared.engine import Engine
from shared.fhir.json import loads
from shared.security.caller import Caller, Discipline, Role
from tests.factories.referrals import COORDINATOR, OWNER, PATIENT, REQUESTER, REQUESTING_EHR
from tests.integration.notifications.asking import client, open_stream
from tests.integration.notifications.support import LIND, hears, prefers, referral

ORGANIZATION = "Organization/pain-clinic"
HOOK = "https://ehr.example/hooks"


@pytest.fixture
async def fed(engine: Engine) -> AsyncIterator[Engine]:
    """The engine with its stream running, as in an API process."""
    stop = asyncio.Event()
    job = asyncio.create_task(feed(engine, stop))
    yield engine
    stop.set()
    await job


def wish(**more: Any) -> dict[str, Any]:
    return {"receiver": LIND, "channel": "webhook", "address": HOOK} | more


async def test_a_secret_is_made_and_shown_once(engine: Engine) -> None:
    async with client(engine, REQUESTER) as api:
        made = await api.put("/api/notifications/preferences", json=wish())
        assert made.status_code == 200
        Webhook(made.json()["secret"])
        again = await api.put("/api/notifications/preferences", json=wish(enabled=False))
        listed = await api.get("/api/notifications/preferences")
    assert again.json()["secret"] is None
    assert listed.json() == [
        {"receiver": LIND, "channel": "webhook", "address": HOOK, "enabled": False, "reason": None, "secret": None}
    ]


async def test_a_new_address_gets_a_new_secret(engine: Engine) -> None:
    async with client(engine, REQUESTER) as api:
        first = await api.put("/api/notifications/preferences", json=wish())
        second = await api.put("/api/notifications/preferences", json=wish(address=HOOK + "/other"))
    assert second.json()["secret"] not in (None, first.json()["secret"])


@pytest.mark.parametrize(
    ("caller", "receiver", "status"),
    [
        (REQUESTER, LIND, 200),
        (REQUESTER, "Practitioner/moss", 403),
        (REQUESTER, ORGANIZATION, 403),
        (REQUESTER, "role:coordinator", 403),
        (REQUESTING_EHR, ORGANIZATION, 200),
        (REQUESTING_EHR, LIND, 403),
        (COORDINATOR, LIND, 200),
        (COORDINATOR, "discipline:mental-health", 200),
        (COORDINATOR, "discipline:astrology", 422),
        (COORDINATOR, "Observation/x", 422),
        (PATIENT, "Patient/p1", 200),
        (PATIENT, LIND, 403),
    ],
)
async def test_preferences_are_set_by_those_they_belong_to_and_by_coordinators(
    engine: Engine, caller: Caller, receiver: str, status: int
) -> None:
    async with client(engine, caller) as api:
        answer = await api.put("/api/notifications/preferences", json=wish(receiver=receiver))
        assert answer.status_code == status
        seen = await api.get("/api/notifications/preferences", params={"receiver": receiver})
        assert seen.status_code == status
        removed = await api.delete(
            "/api/notifications/preferences", params={"receiver": receiver, "channel": "webhook"}
        )
        assert removed.status_code == {200: 204, 403: 403, 422: 422}[status]


@pytest.mark.parametrize(
    "change",
    [
        {"address": "http://CANARY.example/"},
        {"address": None},
        {"channel": "stream", "address": "CANARY"},
        {"channel": "email", "address": "CANARY@clinic.example"},
        {"channel": "pigeon"},
        {"secret": "CANARY"},
        {"CANARY": 1},
    ],
)
async def test_a_wish_that_cannot_work_is_refused_without_repeating_it(engine: Engine, change: dict[str, Any]) -> None:
    async with client(engine, REQUESTER) as api:
        answer = await api.put("/api/notifications/preferences", json=wish(**change))
    assert answer.status_code == 422
    assert "CANARY" not in answer.text


async def test_messages_are_paged_newest_first_without_gap_or_repeat(engine: Engine) -> None:
    for number in range(7):
        await hears(engine, referral("accepted", task=f"Task/t{number}"))
    seen: list[str] = []
    query: str | None = "count=3"
    async with client(engine, REQUESTER) as api:
        while query is not None:
            page = (await api.get(f"/api/notifications/messages?{query}")).json()
            seen += [message["focus"] for message in page["messages"]]
            query = page["next"]
            await hears(engine, referral("accepted", task="Task/later"))
    assert seen == [f"Task/t{number}" for number in reversed(range(7))]


@pytest.mark.parametrize(
    ("caller", "texts"),
    [
        (REQUESTER, ["A referral to mental health was declined."]),
        (COORDINATOR, ["A referral to mental health waits for an owner.", "A referral to mental health was declined."]),
        (OWNER, ["A referral to mental health waits for somebody to take it."]),
        (Caller("x", Role.CLINICIAN, Discipline.PHYSICAL_THERAPY, "Practitioner/far"), []),
        (PATIENT, []),
    ],
)
async def test_a_caller_sees_what_was_told_to_them(engine: Engine, caller: Caller, texts: list[str]) -> None:
    await hears(engine, referral("declined", status="rejected"))
    unowned = {"status": "requested", "task": "Task/t2", "requester": "Practitioner/x", "owner": None}
    await hears(engine, referral("requested", **unowned))
    async with client(engine, caller) as api:
        page = (await api.get("/api/notifications/messages")).json()
    assert [message["text"] for message in page["messages"]] == texts


async def test_the_stream_tells_what_comes_and_resumes_after_the_last_event_id(fed: Engine) -> None:
    await hears(fed, referral("accepted"))
    async with open_stream(fed, REQUESTER, "0") as stream:
        assert stream.status == 200
        assert stream.headers["content-type"].startswith("text/event-stream")
        (first,) = await stream.events(1)
        assert loads(first["data"].encode())["text"] == "A referral to mental health was accepted."
        assert first["event"] == "message"
        await hears(fed, referral("started", version=3))
        (second,) = await stream.events(1)
    await hears(fed, referral("completed", version=4))
    async with open_stream(fed, REQUESTER, first["id"]) as stream:
        again, third = await stream.events(2)
    assert again == second
    assert loads(third["data"].encode())["type"] == "referral.completed.v1"


async def test_a_quiet_stream_has_heartbeats_and_ends_at_its_age(fed: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSILIUM_STREAM_HEARTBEAT", "1")
    monkeypatch.setenv("CONSILIUM_STREAM_MAX_AGE", "2")
    async with open_stream(fed, REQUESTER) as stream:
        assert await stream.comment() == ": listening", "it comes at once, and the head of the answer with it"
        assert await stream.comment() == ": heartbeat"
        assert await stream.events(1) == []


async def test_a_last_event_id_of_another_stream_is_refused(fed: Engine) -> None:
    async with client(fed, REQUESTER) as api:
        answer = await api.get("/api/notifications/stream", headers={"Last-Event-ID": "CANARY"})
    assert answer.status_code == 400
    assert "CANARY" not in answer.text


async def test_a_stream_needs_somebody_it_is_for(fed: Engine) -> None:
    async with client(fed, Caller("nobody", Role.SYSTEM)) as api:
        assert (await api.get("/api/notifications/stream")).status_code == 403


async def test_failed_deliveries_are_listed_and_replayed_by_coordinators_only(engine: Engine) -> None:
    await prefers(engine, LIND, Channel.WEBHOOK, HOOK)
    await hears(engine, referral("accepted"))
    await engine.pool.execute("UPDATE delivery SET status = 'failed', due_at = NULL WHERE channel = 'webhook'")
    async with client(engine, COORDINATOR) as api:
        page = (await api.get("/api/notifications/deliveries")).json()
        (delivery,) = page["deliveries"]
        assert HOOK not in str(page)
        path = f"/api/notifications/deliveries/{delivery['id']}"
        assert (await api.get(f"{path}/attempts")).status_code == 404
        assert (await api.post(f"{path}/replay")).status_code == 202
        assert (await api.post(f"{path}/replay")).status_code == 409
        assert (await api.post("/api/notifications/deliveries/none/replay")).status_code == 404
    async with client(engine, REQUESTER) as api:
        assert (await api.get("/api/notifications/deliveries")).status_code == 403
        assert (await api.post(f"{path}/replay")).status_code == 403


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("GET", "preferences?receiver=%00"),
        ("GET", "deliveries?before=a%00b"),
        ("GET", "deliveries/%00/attempts"),
        ("POST", "deliveries/%00/replay"),
    ],
)
async def test_an_address_with_a_nul_character_is_refused(engine: Engine, method: str, address: str) -> None:
    async with client(engine, COORDINATOR) as api:
        answer = await api.request(method, f"/api/notifications/{address}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "query", "where"),
    [
        ("GET", "preferences?receiver=bogus", "query.receiver"),
        ("DELETE", "preferences?receiver=bogus&channel=email", "query.receiver"),
        ("DELETE", "preferences?receiver=Practitioner/x&channel=bogus", "query.channel"),
        ("GET", "deliveries?status=bogus", "query.status"),
        ("GET", "deliveries?before=bogus", "query.before"),
        ("GET", "messages?before=bogus", "query.before"),
    ],
)
async def test_a_question_that_makes_no_sense_is_a_problem_that_names_the_parameter(
    engine: Engine, method: str, query: str, where: str
) -> None:
    async with client(engine, COORDINATOR) as api:
        answer = await api.request(method, f"/api/notifications/{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [issue["expression"] for issue in answer.json()["issues"]] == [[where]]
    assert "bogus" not in answer.text
