"""A gateway in a process of its own while services come and go: ready, streams, kept and broken connections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import unquote

import httpx
import pytest

from services.gateway import health
from services.gateway.asgi import Receive, Scope, Send
from services.gateway.forwarding import ForwardingApp
from services.gateway.main import Gateway
from tests.integration.gateway.fakes import FakeService
from tests.listening import listening

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


def fakes() -> dict[str, FakeService]:
    """Three services."""
    return {name: FakeService(name, ()) for name in ("referrals", "careplans", "notifications")}


@asynccontextmanager
async def breaking(answers: list[bytes]) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A service that takes the next of ``answers`` for each connection and closes it; what it was asked."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answers.pop(0))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


@asynccontextmanager
async def asking(app: ForwardingApp | Gateway) -> AsyncIterator[httpx.AsyncClient]:
    """A client of ``app``."""
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]  # the same protocol under other names
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client
    await app.aclose()


async def test_it_becomes_ready_with_its_services_and_stays_so_when_one_fails() -> None:
    services = fakes()
    async with asking(Gateway(services, stays_ready=True)) as client:
        services["careplans"].healthy = False
        assert (await client.get("/health/ready")).status_code == 503
        services["careplans"].healthy = True
        assert (await client.get("/health/ready")).status_code == 200
        services["careplans"].healthy = False
        answer = await client.get("/health/ready")
        assert answer.status_code == 200
        assert answer.json()["status"] == "degraded"
        assert answer.json()["services"]["careplans"] == "unavailable"


async def test_a_service_that_is_silent_does_not_keep_it_from_answering(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "WITHIN", 0.1)

    async def silent(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.Event().wait()

    async with asking(Gateway(fakes() | {"careplans": silent}, stays_ready=True)) as client, asyncio.timeout(5):
        answer = await client.get("/health/ready")
        assert answer.status_code == 503
        assert answer.json()["services"]["careplans"] == "unavailable"


async def test_event_streams_end_whole_when_it_leaves() -> None:
    leaving = asyncio.Event()
    async with listening(FakeService("notifications", ())) as url:
        app = ForwardingApp(url, leaving=leaving)
        async with listening(app) as base, httpx.AsyncClient(base_url=base, timeout=60) as client:
            accept = {"accept": "text/event-stream"}
            async with client.stream("GET", "/api/notifications/stream", headers=accept) as stream:
                lines = stream.aiter_lines()
                assert await anext(lines) == "data: first"
                leaving.set()
                async with asyncio.timeout(5):
                    assert [line async for line in lines if line] == []
        await app.aclose()


async def test_what_only_reads_is_asked_once_more_when_the_connection_breaks() -> None:
    async with breaking([b"", ANSWER]) as (url, asked), asking(ForwardingApp(url)) as client:
        assert (await client.get("/fhir/Patient/1")).status_code == 200
        assert len(asked) == 2


async def test_it_is_not_asked_for_ever() -> None:
    async with breaking([b"", b"", ANSWER]) as (url, asked), asking(ForwardingApp(url)) as client:
        assert (await client.get("/fhir/Patient/1")).status_code == 502
        assert len(asked) == 2


async def test_a_write_is_never_sent_twice() -> None:
    async with breaking([b"", ANSWER]) as (url, asked), asking(ForwardingApp(url)) as client:
        assert (await client.post("/fhir/Patient", json={})).status_code == 502
        assert len(asked) == 1


async def test_a_service_is_asked_for_what_the_gateway_was_asked_for_and_nothing_else() -> None:
    service = FakeService("careplans", ("Patient",))
    async with listening(service) as url:
        app = ForwardingApp(f"{url}/")
        async with listening(Gateway(fakes() | {"careplans": app})) as edge, httpx.AsyncClient() as client:
            for target in (
                "/fhir/Patient/../../health/ready",
                "/fhir/Patient/./1?a=b/../c&d=%2E%2e",
                "/fhir/Patient/a%7Cb",
            ):
                assert (await client.get(edge, extensions={"target": target.encode()})).status_code == 200
                path, _, query = target.partition("?")
                assert (service.asked[-1].path, service.asked[-1].query) == (unquote(path), query)
        await app.aclose()
