"""The three services in one process, with workers that tests run, behind a gateway on a socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from services.careplans.main import SERVICE as CAREPLANS
from services.gateway.asgi import ASGIApp, Message, Receive, Scope, Send
from services.gateway.forwarding import ForwardingApp
from services.gateway.main import Gateway
from services.notifications.main import SERVICE as NOTIFICATIONS
from services.referrals.main import SERVICE as REFERRALS
from shared import bulk
from shared.engine import Engine
from shared.ids import uuid7
from shared.lingering import Lingering
from shared.security.caller import Caller, Role
from shared.service import service_app
from shared.store.migrations import upgrade
from tests.conftest import create_database
from tests.factories.bulk import Exported, fetched, kicked_off
from tests.factories.engine import FixedVerifier, running_engine
from tests.listening import listening
from tests.ports import refusing_port

SERVICES = (REFERRALS, CAREPLANS, NOTIFICATIONS)


class Switch:
    """A service that can be unplugged."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._down = ForwardingApp(f"http://127.0.0.1:{refusing_port()}")
        self.up = True
        self.answers = True
        self.asked: list[dict[str, str]] = []
        """The headers of each kick-off."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in ("/fhir/$export", "/fhir/$import"):
            self.asked.append({name.decode(): value.decode() for name, value in scope["headers"]})
        await (self._app if self.up else self._down)(scope, receive, send if self.answers else _dropped)


async def _dropped(message: Message) -> None:
    """The connection breaks before the answer."""


@dataclass
class Whole:
    """Three services behind a gateway."""

    fhir: httpx.AsyncClient
    engines: dict[str, Engine]
    switches: dict[str, Switch]
    verifier: FixedVerifier

    async def work(self, *names: str) -> None:
        """The workers of ``names``, or of all, until nothing waits."""
        for name in names or self.engines:
            while await bulk.turn(self.engines[name], asyncio.Event()):
                pass

    async def exported(self, path: str = "$export", **more: Any) -> Exported:
        """The whole of an export."""
        status = await kicked_off(self.fhir, path, **more)
        await self.work()
        return await fetched(self.fhir, status)


@asynccontextmanager
async def three_services(postgres: str) -> AsyncIterator[Whole]:
    """The three services in one process behind a gateway on a socket."""
    verifier = FixedVerifier(Caller("ehr", Role.SYSTEM))
    async with AsyncExitStack() as stack:
        engines, switches = {}, {}
        for service in SERVICES:
            url = await create_database(postgres, f"bulk_{service.name}_{uuid7().replace('-', '')}")
            await asyncio.to_thread(upgrade, url, service.migrations)
            engine = await stack.enter_async_context(running_engine(url, service))
            engines[service.name] = engine
            switches[service.name] = Switch(service_app(service, engine, verifier))  # type: ignore[arg-type]
        base = await stack.enter_async_context(listening(Lingering(Gateway(dict(switches)))))
        client = await stack.enter_async_context(
            httpx.AsyncClient(base_url=f"{base}/fhir/", trust_env=False, timeout=60)
        )
        yield Whole(client, engines, switches, verifier)
