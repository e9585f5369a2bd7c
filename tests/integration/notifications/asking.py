"""The service over ASGI: a client for REST and FHIR, and one that reads an event stream."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from services.notifications.main import SERVICE
from shared.engine import Engine
from shared.security.caller import Caller
from shared.service import ServiceApp, service_app
from tests.factories.engine import FixedVerifier


def app_of(engine: Engine, caller: Caller) -> ServiceApp:
    """The service's app as ``caller`` meets it."""
    return service_app(SERVICE, engine, FixedVerifier(caller))  # type: ignore[arg-type]  # stands in for the real one


def client(engine: Engine, caller: Caller) -> httpx.AsyncClient:
    """An HTTP client; paths begin with /api or /fhir."""
    transport = httpx.ASGITransport(app=app_of(engine, caller))  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=transport, base_url="http://test")


@dataclass
class Stream:
    """An open event stream."""

    status: int
    headers: dict[str, str]
    chunks: "asyncio.Queue[bytes | None]"

    async def events(self, count: int) -> list[dict[str, str]]:
        """The next ``count`` events that carry data, by the format's rules; fewer when the stream ends."""
        found: list[dict[str, str]] = []
        buffer = ""
        async with asyncio.timeout(20):
            while len(found) < count:
                chunk = await self.chunks.get()
                if chunk is None:
                    break
                buffer += chunk.decode()
                *blocks, buffer = buffer.split("\n\n")
                fields = [dict(line.split(": ", 1) for line in block.split("\n")) for block in blocks]
                found += [one for one in fields if "data" in one]
        return found

    async def comment(self) -> str:
        """The next comment."""
        async with asyncio.timeout(20):
            while (chunk := await self.chunks.get()) is not None:
                if chunk.startswith(b":"):
                    return chunk.decode().strip()
        return ""


@asynccontextmanager
async def open_stream(engine: Engine, caller: Caller, last_event_id: str | None = None) -> AsyncIterator[Stream]:
    """GET the stream; hang up on exit."""
    headers = [(b"last-event-id", last_event_id.encode())] if last_event_id is not None else []
    path = "/api/notifications/stream"
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("test", 80),
    }
    started: asyncio.Future[tuple[int, dict[str, str]]] = asyncio.get_running_loop().create_future()
    chunks: asyncio.Queue[bytes | None] = asyncio.Queue()
    hang_up = asyncio.Event()
    asked = False

    async def receive() -> dict[str, object]:
        nonlocal asked
        if not asked:
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await hang_up.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, object]) -> None:
        if message["type"] == "http.response.start":
            pairs = message["headers"]
            assert isinstance(pairs, list)
            started.set_result((int(str(message["status"])), {k.decode(): v.decode() for k, v in pairs}))
            return
        body = message.get("body", b"")
        assert isinstance(body, bytes)
        if body:
            chunks.put_nowait(body)
        if not message.get("more_body"):
            chunks.put_nowait(None)

    serving = asyncio.create_task(app_of(engine, caller)(scope, receive, send))  # type: ignore[arg-type]
    try:
        status, told = await asyncio.wait_for(started, 20)
        yield Stream(status, told, chunks)
    finally:
        hang_up.set()
        await asyncio.wait_for(serving, 20)
