"""A body that ends early or is no body, before a service over HTTP: the client's fault, and told as such."""

import asyncio
import json

import pytest

from services.gateway.forwarding import ForwardingApp
from services.gateway.main import Gateway
from services.gateway.settings import GatewaySettings
from shared.problem import LastResort
from tests.integration.gateway.fakes import FakeService
from tests.listening import listening


@pytest.mark.parametrize("body", [b"zz\r\n{}\r\n0\r\n\r\n", b"ffffffffffffffff\r\n{}"])
async def test_a_chunk_that_is_none_is_400(body: bytes) -> None:
    careplans, others = FakeService("careplans", ("Patient",)), FakeService("others", ())
    async with listening(careplans) as service:
        forwarding = ForwardingApp(service)
        upstreams = {"referrals": others, "careplans": forwarding, "notifications": others}
        app = LastResort(Gateway(upstreams, GatewaySettings(capability_seconds=0)))
        async with listening(app) as url:
            head = b"POST /fhir/Patient HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
            reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
            writer.write(head + body)
            writer.write_eof()
            answer = await asyncio.wait_for(reader.read(), 20)
            writer.close()
        await forwarding.aclose()
    assert answer.startswith(b"HTTP/1.1 400 "), answer
    outcome = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert outcome["issue"][0]["code"] == "structure"
