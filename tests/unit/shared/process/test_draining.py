"""Leaving: readiness fails and connections are closed, requests are answered all the same."""

import asyncio

import httpx
from starlette.types import Receive, Scope, Send

from shared.process.draining import Draining
from tests.listening import listening


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers everything with 200."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


async def test_until_then_it_changes_nothing() -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(Draining(app)), base_url="http://test") as client:
        for path in ("/fhir/Patient", "/health/ready"):
            answer = await client.get(path)
            assert (answer.status_code, answer.headers.get("connection")) == (200, None)


async def test_then_readiness_fails_and_the_rest_is_answered_on_a_connection_that_ends() -> None:
    draining = Draining(app)
    async with listening(draining) as base, httpx.AsyncClient(base_url=base, trust_env=False) as client:
        assert (await client.get("/fhir/Patient")).status_code == 200
        await draining.drain(0)
        ready = await client.get("/health/ready")
        answer = await client.get("/fhir/Patient")
        live = await client.get("/health/live")
    assert ready.status_code == 503
    assert ready.json()["checks"] == {"draining": "fail"}
    assert (answer.status_code, answer.content) == (200, b"ok")
    assert answer.headers["connection"] == "close"
    assert live.status_code == 200


async def test_the_server_really_closes_the_connection() -> None:
    draining = Draining(app)
    async with listening(draining) as base:
        await draining.drain(0)
        reader, writer = await asyncio.open_connection("127.0.0.1", int(base.rsplit(":", 1)[1]))
        writer.write(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"ok")


async def test_draining_lasts_as_long_as_was_said() -> None:
    draining, clock = Draining(app), asyncio.get_running_loop()
    began = clock.time()
    await draining.drain(0.2)
    assert clock.time() - began >= 0.2
