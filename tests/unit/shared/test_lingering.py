"""A refusal reaches a client that is still sending."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from shared import lingering
from shared.lingering import Lingering
from tests.listening import listening

PART = b" " * 1_000_000


def refusing(status: int) -> ASGIApp:
    """Answers ``status`` without a look at the body."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"no"})

    return app


async def sent(parts: int) -> AsyncIterator[bytes]:
    for _ in range(parts):
        yield PART


@pytest.mark.parametrize("told", [True, False], ids=["with its length", "in chunks"])
async def test_whoever_sends_much_hears_why_it_is_refused(told: bool) -> None:
    async with listening(Lingering(refusing(413))) as url, httpx.AsyncClient(trust_env=False) as client:
        for _ in range(3):
            answer = await client.post(url, content=PART * 30 if told else sent(30))
            assert (answer.status_code, answer.text) == (413, "no")


async def test_no_more_is_read_than_so_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lingering, "LINGER_BYTES", 5 * len(PART))
    assert await read(sending=100) == 6


async def test_nobody_is_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lingering, "LINGER_S", 0.05)
    assert await asyncio.wait_for(read(sending=3, then_silent=True), 5) == 3


@pytest.mark.parametrize(
    ("method", "status", "headers"),
    [("POST", 200, []), ("GET", 404, []), ("POST", 413, [(b"expect", b"100-continue")])],
    ids=["no refusal", "no body", "asked first"],
)
async def test_nothing_is_read_where_nobody_waits_for_it(
    method: str, status: int, headers: list[tuple[bytes, bytes]]
) -> None:
    assert await read(method, status, headers, sending=3) == 0


async def read(
    method: str = "POST",
    status: int = 413,
    headers: list[tuple[bytes, bytes]] | None = None,
    *,
    sending: int,
    then_silent: bool = False,
) -> int:
    """How many parts are read of ``sending``, when ``status`` is answered without a look at them."""
    parts, answered = 0, 0

    async def receive() -> dict[str, object]:
        nonlocal parts
        if parts == sending and then_silent:
            await asyncio.Event().wait()
        parts += 1
        return {"type": "http.request", "body": PART, "more_body": parts < sending or then_silent}

    async def send(message: object) -> None:
        nonlocal answered
        answered += 1

    scope = {"type": "http", "method": method, "path": "/", "headers": headers or []}
    await Lingering(refusing(status))(scope, receive, send)
    assert answered == 2
    return parts
