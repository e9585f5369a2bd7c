"""A service that dies in the middle of its answer: the client sees it end early, and the log says why."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from services.gateway.asgi import ASGIApp
from services.gateway.forwarding import ForwardingApp
from services.gateway.main import Gateway
from services.gateway.settings import GatewaySettings
from shared.problem import LastResort
from tests.integration.gateway.fakes import FakeService
from tests.listening import listening

HALVES = {
    "of a known length": b"HTTP/1.1 200 OK\r\ncontent-type: application/fhir+json\r\ncontent-length: 99\r\n\r\n{",
    "in chunks": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n",
    "of events": b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n1\r\n:\r\n",
}


@asynccontextmanager
async def dying(half: bytes) -> AsyncIterator[str]:
    """A service that sends ``half`` an answer to everything and is gone."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(half)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@asynccontextmanager
async def gateway(half: bytes) -> AsyncIterator[httpx.AsyncClient]:
    """A gateway whose ``referrals`` dies while it answers."""
    async with dying(half) as url:
        broken = ForwardingApp(url)
        careplans, notifications = FakeService("careplans", ("Patient",)), FakeService("notifications", ())
        upstreams: dict[str, ASGIApp] = {"referrals": broken, "careplans": careplans, "notifications": notifications}
        app = LastResort(Gateway(upstreams, GatewaySettings(capability_seconds=0)))
        async with listening(app) as base, httpx.AsyncClient(base_url=base, timeout=5) as client:
            yield client
        await broken.aclose()


@pytest.mark.parametrize("half", HALVES)
async def test_the_client_sees_the_answer_end_early_and_the_log_warns(
    half: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with gateway(HALVES[half]) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get("/fhir/Task/1")
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert (record.levelno, record.message) == (logging.WARNING, "A service broke off in the middle of its answer.")
    assert record.exc_info is None


@pytest.mark.parametrize("half", ["of a known length", "in chunks"])
async def test_half_an_answer_is_none_in_a_batch(half: str, caplog: pytest.LogCaptureFixture) -> None:
    entries = [{"request": {"method": "GET", "url": url}} for url in ("Task/1", "Patient?identifier=x")]
    async with gateway(HALVES[half]) as client:
        answer = await client.post("/fhir", json={"resourceType": "Bundle", "type": "batch", "entry": entries})
        assert [entry["response"]["status"] for entry in answer.json()["entry"]] == ["502 Bad Gateway", "200"]
        alone = await client.post("/fhir", json={"resourceType": "Bundle", "type": "batch", "entry": entries[:1]})
        assert (alone.status_code, alone.json()["resourceType"]) == (502, "OperationOutcome")
        ready = await client.get("/health/ready")
    assert ready.json()["services"]["referrals"] == "unavailable"
    assert {record.levelno for record in caplog.records if record.levelno >= logging.WARNING} == {logging.WARNING}
