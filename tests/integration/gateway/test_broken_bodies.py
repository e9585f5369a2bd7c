"""A body that ends early or is no body, before a service over HTTP: the client's fault, and told as such."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from services.gateway.forwarding import ForwardingApp
from services.gateway.main import Gateway
from services.gateway.settings import GatewaySettings
from shared import bodies
from shared.problem import LastResort
from tests.integration.gateway.fakes import FakeService
from tests.listening import listening


@asynccontextmanager
async def gateway() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a gateway before a service over HTTP."""
    careplans, others = FakeService("careplans", ("Patient",)), FakeService("others", ())
    async with listening(careplans) as service:
        forwarding = ForwardingApp(service)
        upstreams = {"referrals": others, "careplans": forwarding, "notifications": others}
        async with listening(LastResort(Gateway(upstreams, GatewaySettings(capability_seconds=0)))) as url:
            reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
            yield reader, writer
            writer.close()
        await forwarding.aclose()


@pytest.mark.parametrize("body", [b"zz\r\n{}\r\n0\r\n\r\n", b"ffffffffffffffff\r\n{}"])
async def test_a_chunk_that_is_none_is_400(body: bytes) -> None:
    async with gateway() as (reader, writer):
        head = b"POST /fhir/Patient HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        writer.write(head + body)
        writer.write_eof()
        answer = await asyncio.wait_for(reader.read(), 20)
    assert answer.startswith(b"HTTP/1.1 400 "), answer
    outcome = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert outcome["issue"][0]["code"] == "structure"


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        (b"POST /fhir/Patient HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{", 408, "timeout"),
        (b"DELETE /fhir/Patient/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{", 408, "timeout"),
        (b"POST /fhir HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{", 408, "timeout"),
        (b"GET /fhir/Patient?name=%b HTTP/1.1\r\nHost: x\r\n\r\n" % (b"a" * 65_510), 414, "too-long"),
        ("GET /fhir/Patient/é HTTP/1.1\r\nHost: x\r\n\r\n".encode(), 400, "structure"),
    ],
    ids=["a silent body", "a silent body of a deletion", "a silent bundle", "an endless query", "a raw character"],
)
async def test_what_a_client_does_wrong_is_told_as_its_fault(
    monkeypatch: pytest.MonkeyPatch, request_: bytes, status: int, code: str
) -> None:
    monkeypatch.setattr(bodies, "SILENCE_S", 0.2)
    async with gateway() as (reader, writer):
        writer.write(request_)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
        outcome = json.loads(await reader.readexactly(int(length.partition(b":")[2])))
    assert head.startswith(b"HTTP/1.1 %d " % status), head
    assert outcome["issue"][0]["code"] == code


async def test_an_upload_that_trickles_until_the_service_hangs_up_is_the_clients_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.gateway.forwarding.LINGER_S", 0.0)

    class HangsUp(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            assert isinstance(request.stream, httpx.AsyncByteStream)
            await anext(aiter(request.stream))
            raise httpx.WriteError("closed")

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"x", "more_body": True}

    sent: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/fhir/Patient", "headers": [], "scheme": "http"}
    forwarding = ForwardingApp("http://service", transport=HangsUp())
    await forwarding(scope, receive, send)  # type: ignore[arg-type]
    assert sent[0]["status"] == 408
