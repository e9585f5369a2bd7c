"""The whole of Consilium in the test's event loop: databases that last, and processes (as tasks) that come and go."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import httpx

from consilium.assembly import Assembly, Background, assembled
from services.gateway.asgi import ASGIApp
from shared.messaging.envelope import Event
from shared.messaging.relay import Relay
from shared.messaging.topology import Queue
from shared.messaging.transport import Handler, Transport
from shared.security.caller import Caller, Discipline, Role
from shared.security.keys import local_key
from shared.security.settings import AuthMode, SecuritySettings
from shared.security.tokens import mint, verifier_for
from shared.telemetry.setup import current
from tests.listening import listening

COORDINATOR = Caller("co", Role.COORDINATOR, None, "Practitioner/co", "Organization/network")
SPECIALIST = Caller(
    "dr-lind", Role.CLINICIAN, Discipline.PAIN_MEDICINE, "Practitioner/lind", "Organization/pain-clinic"
)
PSYCHOLOGIST = Caller("dr-moss", Role.CLINICIAN, Discipline.MENTAL_HEALTH, "Practitioner/moss", "Organization/mind")
THERAPIST = Caller("pt-park", Role.CLINICIAN, Discipline.PHYSICAL_THERAPY, "Practitioner/park", "Organization/motion")
EHR = Caller("ehr", Role.SYSTEM)

BASE = "http://consilium.test"

Confirmed = Callable[[Sequence[str]], Awaitable[None]]
"""Awaited between the carrier's confirm and the mark in the outbox, with the event ids."""
Committed = Callable[[str, Event], Awaitable[None]]
"""Awaited between a handler's commit and the acknowledgement, with the queue's name."""


def bearer(caller: Caller, data_dir: Path) -> dict[str, str]:
    """The header of a request by ``caller``, signed with the local key of ``data_dir``."""
    settings = SecuritySettings(data_dir=data_dir)
    issuer, audience = settings.jwt_issuer, settings.jwt_audience
    token = mint(caller, timedelta(hours=1), local_key(data_dir), issuer=issuer, audience=audience)
    return {"Authorization": f"Bearer {token}"}


@dataclass
class Clients:
    """One HTTP client per caller, over any httpx transport."""

    base: str
    data_dir: Path
    transport: Callable[[], httpx.AsyncBaseTransport]
    made: dict[str, httpx.AsyncClient] = field(default_factory=dict)

    def by(self, caller: Caller) -> httpx.AsyncClient:
        """The client of ``caller``; paths are absolute (``/fhir/...``, ``/api/...``)."""
        if caller.subject not in self.made:
            self.made[caller.subject] = httpx.AsyncClient(
                transport=self.transport(), base_url=self.base, headers=bearer(caller, self.data_dir), timeout=30
            )
        return self.made[caller.subject]

    async def close(self) -> None:
        """Close all."""
        for client in self.made.values():
            await client.aclose()


class Witnessed:
    """A transport whose handlers pass ``committed`` before they acknowledge: the place where a consumer is killed."""

    def __init__(self, transport: Transport, committed: Committed) -> None:
        self._transport, self._committed = transport, committed

    async def consume(self, queue: Queue, handler: Handler, *, prefetch: int, stop: asyncio.Event) -> None:
        async def handle(event: Event) -> None:
            await handler(event)
            await self._committed(queue.name, event)

        await self._transport.consume(queue, handle, prefetch=prefetch, stop=stop)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


@dataclass
class Site:
    """One process of the installation: its API, and its workers when they are started."""

    assembly: Assembly
    clients: Clients

    def by(self, caller: Caller) -> httpx.AsyncClient:
        """See ``Clients.by``."""
        return self.clients.by(caller)

    @asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        """Its base URL: it listens inside the block."""
        async with listening(self.assembly.app) as base:
            yield base

    @asynccontextmanager
    async def working(
        self, *, confirmed: Confirmed | None = None, committed: Committed | None = None
    ) -> AsyncIterator["Workers"]:
        """The workers of all services inside the block; they end in good order, unless they were killed."""
        background = self.assembly.background
        assert background is not None
        if confirmed is not None:
            engines, transport = background.engines, background.transport
            relays = {name: Relay(engine.pool, transport, confirmed=confirmed) for name, engine in engines.items()}
            background = replace(background, relays=relays)
        if committed is not None:
            background = replace(background, transport=cast(Transport, Witnessed(background.transport, committed)))
        workers = Workers(background)
        try:
            yield workers
        finally:
            await workers.end()


class Workers:
    """Workers as one task. ``kill`` leaves everything as it is: transactions roll back, messages go back."""

    def __init__(self, background: Background) -> None:
        self._stop = asyncio.Event()
        self._task = asyncio.create_task(background.run(self._stop))

    async def kill(self) -> None:
        """End them in the middle of whatever they do."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def end(self) -> None:
        """End them in good order. Raises what ended them before, if anything did."""
        self._stop.set()
        if not self._task.cancelled():
            await asyncio.wait_for(self._task, 20)


@dataclass(frozen=True)
class System:
    """An installation. Every ``site`` is like one more process on the same databases and carrier."""

    databases: Mapping[str, str]
    data_dir: Path
    amqp_url: str | None = None

    @asynccontextmanager
    async def site(self, *, processes: int = 1) -> AsyncIterator[Site]:
        """One process, as ``consilium run`` puts it together, of ``processes`` that share the database server."""
        verifier = verifier_for(SecuritySettings(data_dir=self.data_dir, auth=AuthMode.JWT))
        async with assembled(
            self.databases, verifier, current(), amqp_url=self.amqp_url, processes=processes
        ) as assembly:
            clients = Clients(BASE, self.data_dir, lambda: _in_process(assembly.app))
            try:
                yield Site(assembly, clients)
            finally:
                await clients.close()


def _in_process(app: ASGIApp) -> httpx.AsyncBaseTransport:
    return httpx.ASGITransport(app=app)  # type: ignore[arg-type]  # the same protocol under other names


def now_of(versions: Mapping[str, Any]) -> str:
    """The ETag for If-Match of a resource."""
    return f'W/"{versions["meta"]["versionId"]}"'
