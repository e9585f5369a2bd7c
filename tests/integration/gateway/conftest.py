"""The gateway over fake services: in one process, and with HTTP between; tests ask over a socket both times."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest

from services.gateway.asgi import ASGIApp
from services.gateway.forwarding import ForwardingApp
from services.gateway.main import Gateway
from services.gateway.settings import GatewaySettings
from shared.lingering import Lingering
from shared.security.caller import Caller, Role
from tests.integration.gateway.fakes import FakeService
from tests.integration.gateway.whole import Whole, three_services
from tests.listening import listening


@dataclass
class Edge:
    """A running gateway."""

    client: httpx.AsyncClient
    referrals: FakeService
    careplans: FakeService
    notifications: FakeService


@pytest.fixture(params=["in one process", "over HTTP"])
async def edge(request: pytest.FixtureRequest) -> AsyncIterator[Edge]:
    """The same gateway twice: services in its process, services behind HTTP."""
    fakes = {
        "referrals": FakeService("referrals", ("Task", "ServiceRequest", "Practitioner")),
        "careplans": FakeService("careplans", ("CarePlan", "Patient")),
        "notifications": FakeService("notifications", ("Communication",)),
    }
    settings = GatewaySettings(max_bundle_bytes=200_000, max_resource_bytes=100_000, capability_seconds=0)
    async with (
        _upstreams(fakes, over_http=request.param == "over HTTP") as upstreams,
        listening(Gateway(upstreams, settings)) as url,
        httpx.AsyncClient(base_url=url, timeout=60) as client,
    ):
        yield Edge(client, fakes["referrals"], fakes["careplans"], fakes["notifications"])


@asynccontextmanager
async def _upstreams(fakes: dict[str, FakeService], *, over_http: bool) -> AsyncIterator[dict[str, ASGIApp]]:
    if not over_http:
        yield dict(fakes)
        return
    async with (
        listening(fakes["referrals"]) as one,
        listening(fakes["careplans"]) as two,
        listening(fakes["notifications"]) as three,
    ):
        forwards = {name: ForwardingApp(url) for name, url in zip(fakes, (one, two, three), strict=True)}
        yield dict(forwards)
        for app in forwards.values():
            await app.aclose()


@pytest.fixture(scope="module")
async def services(postgres: str) -> AsyncIterator[Whole]:
    """The three services with databases of their own."""
    async with three_services(postgres) as running:
        yield running


@pytest.fixture
async def whole(services: Whole) -> Whole:
    """The services, all plugged in and without jobs; a back end asks."""
    services.verifier.caller = Caller("ehr", Role.SYSTEM)
    for switch in services.switches.values():
        switch.up = switch.answers = True
        switch.asked.clear()
    for engine in services.engines.values():
        await engine.pool.execute("TRUNCATE bulk_job, bulk_file, bulk_chunk")
    return services


@pytest.fixture
async def apart(whole: Whole) -> AsyncIterator[httpx.AsyncClient]:
    """The same services, with HTTP between them and another gateway."""
    async with AsyncExitStack() as stack:
        upstreams: dict[str, ASGIApp] = {}
        for name, switch in whole.switches.items():
            upstreams[name] = ForwardingApp(await stack.enter_async_context(listening(Lingering(switch))))
        gateway = Gateway(upstreams)
        stack.push_async_callback(gateway.aclose)
        base = await stack.enter_async_context(listening(Lingering(gateway)))
        yield await stack.enter_async_context(httpx.AsyncClient(base_url=f"{base}/fhir/", trust_env=False, timeout=60))
