"""Bodies within bounds, and who calls before any of it is read."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, Router

from shared import bodies
from shared.bodies import read_body, read_rest_body
from shared.errors import ConsiliumError, Invalid, TooLarge, TooSlow, Unauthenticated
from shared.security.caller import Caller, Role
from shared.security.guard import Guarded

SCOPE: dict[str, Any] = {"type": "http", "method": "POST", "headers": []}


def coming(*parts: bytes, ends: bool = True, every: float = 0) -> Callable[[], Awaitable[dict[str, Any]]]:
    """A client that sends ``parts``; without ``ends`` it is silent then."""
    left = list(parts)

    async def receive() -> dict[str, Any]:
        if not left:
            await asyncio.Event().wait()
        await asyncio.sleep(every)
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left) or not ends}

    return receive


async def gone() -> dict[str, Any]:
    return {"type": "http.disconnect"}


async def test_a_body_is_its_parts() -> None:
    assert await read_body(SCOPE, coming(b"a", b"", b"b"), limit=2) == b"ab"


@pytest.mark.parametrize(
    ("scope", "receive", "error"),
    [
        (SCOPE, coming(b"ab", b"c"), TooLarge),
        (SCOPE | {"headers": [(b"content-length", b"3")]}, coming(), TooLarge),
        (SCOPE, coming(b"a", ends=False), TooSlow),
        (SCOPE, gone, Invalid),
    ],
    ids=["more than the limit", "told to be more", "silent", "gone"],
)
async def test_what_is_out_of_bounds_is_refused(
    monkeypatch: pytest.MonkeyPatch, scope: Any, receive: Any, error: type[ConsiliumError]
) -> None:
    monkeypatch.setattr(bodies, "SILENCE_S", 0.05)
    with pytest.raises(error):
        await asyncio.wait_for(read_body(scope, receive, limit=2), 5)


async def test_a_rest_body_may_not_trickle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "REST_WITHIN_S", 0.1)
    with pytest.raises(TooSlow):
        await asyncio.wait_for(read_rest_body(SCOPE, coming(*[b"a"] * 1000, every=0.01)), 5)


class Verifies:
    """Knows one token."""

    async def verify(self, authorization: str | None) -> Caller:
        if authorization != "Bearer known":
            raise Unauthenticated("A token is needed.")
        return Caller(subject="x", role=Role.SYSTEM)


async def echoed(request: Request) -> PlainTextResponse:
    return PlainTextResponse(await request.body())


def guarded() -> httpx.AsyncClient:
    app = Guarded(Router([Route("/api/x", echoed, methods=["POST", "GET"])]), Verifies())  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


async def test_nothing_is_read_of_somebody_unknown() -> None:
    read = 0

    async def parts() -> Any:
        nonlocal read
        for _ in range(3):
            read += 1
            yield b"["

    async with guarded() as client:
        answer = await client.post("/api/x", content=parts())
    assert (answer.status_code, answer.headers["www-authenticate"], read) == (401, "Bearer", 0)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "body", "status", "text"),
    [("POST", b"{}", 200, "{}"), ("POST", b"[" * (bodies.REST_BYTES + 1), 413, None), ("GET", b"", 200, "")],
)
async def test_who_is_known_is_heard_up_to_the_limit(method: str, body: bytes, status: int, text: str | None) -> None:
    headers = {"authorization": "Bearer known"} if method == "POST" else {}
    async with guarded() as client:
        answer = await client.request(method, "/api/x", content=body, headers=headers)
    assert answer.status_code == status
    assert text is None or answer.text == text
