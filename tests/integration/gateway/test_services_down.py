"""What a caller hears while a service cannot be reached."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from services.gateway.asgi import ASGIApp
from services.gateway.forwarding import ForwardingApp
from services.gateway.main import Gateway
from tests.factories.balancer import Balancer
from tests.integration.gateway.fakes import FakeService
from tests.listening import listening
from tests.ports import refusing_port

ID = "00000000-0000-4000-8000-000000000001"


@pytest.fixture
async def client():  # type: ignore[no-untyped-def]  # an async generator of one client
    """A gateway whose ``referrals`` is down."""
    down = ForwardingApp(f"http://127.0.0.1:{refusing_port()}")
    careplans, notifications = FakeService("careplans", ("Patient",)), FakeService("notifications", ())
    upstreams: dict[str, ASGIApp] = {"referrals": down, "careplans": careplans, "notifications": notifications}
    async with listening(Gateway(upstreams)) as url, httpx.AsyncClient(base_url=url, timeout=60) as client:
        yield client
    await down.aclose()


async def test_a_resource_of_a_service_that_is_down_is_an_outcome(client: httpx.AsyncClient) -> None:
    answer = await client.get("/fhir/Task/1")
    assert answer.status_code == 503
    assert answer.json()["issue"][0]["code"] == "transient"
    assert answer.headers["retry-after"]


async def test_its_rest_api_is_a_problem(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/referrals/worklist")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_others_go_on(client: httpx.AsyncClient) -> None:
    assert (await client.get("/fhir/Patient/1")).status_code == 200


async def test_the_whole_is_not_ready_and_says_nothing_of_its_capabilities(client: httpx.AsyncClient) -> None:
    assert (await client.get("/health/ready")).json()["services"]["referrals"] == "unavailable"
    assert (await client.get("/fhir/metadata")).status_code == 503


async def test_a_batch_gets_what_can_be_had(client: httpx.AsyncClient) -> None:
    entries = [{"request": {"method": "GET", "url": url}} for url in ("Task/1", "Patient?identifier=x")]
    answer = await client.post("/fhir", json={"resourceType": "Bundle", "type": "batch", "entry": entries})
    assert [entry["response"]["status"] for entry in answer.json()["entry"]] == ["503 Service Unavailable", "200"]


async def test_a_conditional_reference_to_it_stores_nothing(client: httpx.AsyncClient) -> None:
    resource = {"resourceType": "Patient", "generalPractitioner": [{"reference": "Practitioner?identifier=x"}]}
    sent = {"resource": resource, "request": {"method": "POST", "url": "Patient"}}
    answer = await client.post("/fhir", json={"resourceType": "Bundle", "type": "transaction", "entry": [sent]})
    assert answer.status_code == 503
    assert "nothing was stored" in answer.json()["issue"][0]["diagnostics"]


@pytest.fixture
async def closing() -> AsyncIterator[httpx.AsyncClient]:
    """A gateway before services whose address takes connections and closes them: no process is behind it."""
    async with Balancer().listening() as nobody:
        apps = {name: ForwardingApp(nobody.url) for name in ("referrals", "careplans", "notifications")}
        async with listening(Gateway(dict(apps))) as url, httpx.AsyncClient(base_url=url, timeout=15) as client:
            yield client
        for app in apps.values():
            await app.aclose()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "path", ["/fhir/metadata", "/fhir/_history", "/fhir/Communication", "/fhir/Provenance", "/fhir/bulk-export/" + ID]
)
async def test_an_address_behind_which_nobody_is_is_no_fault_of_the_clients(
    closing: httpx.AsyncClient, method: str, path: str
) -> None:
    for headers in ({}, {"content-length": "0"}):
        answer = await closing.request(method, path, headers=headers)
        assert answer.status_code in (502, 503), answer.text


async def test_a_read_whose_body_was_begun_is_not_asked_for_again(closing: httpx.AsyncClient) -> None:
    async with asyncio.timeout(10):
        answer = await closing.request("GET", "/fhir/Communication", content=b"x" * 100)
    assert answer.status_code == 502
