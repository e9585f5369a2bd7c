"""A service as data: what it owns, says and hears; and how its API process is put together from that."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Depends, FastAPI

from shared.copies.peers import Peers
from shared.declared import declared_only
from shared.engine import Engine, Outgoing, Projection, observes_nothing, tells_nothing
from shared.fhir.app import FhirApp, Receive, Scope, Send
from shared.fhir.bulk.settings import BulkSettings
from shared.fhir.kinds import Fact, Registry
from shared.fhir.operations.operation import Operation
from shared.fhir.parts.app import PartsApp
from shared.fhir.parts.wire import PATH
from shared.messaging.consumer import PREFETCH
from shared.messaging.envelope import Event
from shared.problem import DOCUMENTED, LastResort, install_problem_handlers
from shared.security.guard import Guarded
from shared.security.peers import KnownPeers
from shared.security.tokens import Verifier
from shared.settings import ConsiliumSettings
from shared.store.database import Pool
from shared.store.replica import Replica
from shared.store.revisions import head
from shared.store.sweeping import Sweep
from shared.telemetry.health import Check, database_check, health_routes, migrations_check
from shared.telemetry.setup import FASTAPI_OFF

Handle = Callable[[Event], Awaitable[None]]
Job = Callable[[Engine, asyncio.Event], Coroutine[Any, Any, None]]
"""A long-running job of the worker; returns soon after the event is set."""


@dataclass(frozen=True, slots=True)
class Binding:
    """One queue and what it hears."""

    queue: str
    routing_keys: tuple[str, ...]
    handler: Callable[[Engine], Handle]
    prefetch: int = PREFETCH
    """How many messages are in hand at once."""
    gathers: float = 0.0
    """See ``Queue.gathers``."""


@dataclass(frozen=True, slots=True)
class Service:
    """One service."""

    name: str
    kinds: Registry
    migrations: Path
    outgoing: Outgoing = tells_nothing
    observe: Callable[[Sequence[Fact]], None] = observes_nothing
    """See ``Engine.observe``."""
    projection: Projection | None = None
    routers: tuple[APIRouter, ...] = ()
    """REST, below ``/api``."""
    roots: tuple[APIRouter, ...] = ()
    """REST at the root, where a protocol of others says what the paths are."""
    operations: tuple[Operation, ...] = ()
    """FHIR operations of its own, beside those of every service."""
    bindings: tuple[Binding, ...] = ()
    jobs: tuple[Job, ...] = ()
    sweeps: Callable[[], Iterable[Sweep]] = tuple
    """What the service lets go of in its own tables, as settings say."""
    settings: tuple[type[ConsiliumSettings], ...] = ()
    """What it reads beside what every service does: it must hold before anything starts."""
    readers: tuple[Job, ...] = field(default=())
    """Jobs of the API process (a listener that feeds streams)."""
    records_provenance: bool = False
    """See ``Engine.records_provenance``."""
    tells: frozenset[str] = frozenset()
    """Types of its own of which other services keep copies."""
    copied: Mapping[str, str] = field(default_factory=dict)
    """Types of which it keeps copies, and the services that own them."""
    busiest: tuple[str, ...] = ()
    """Types whose checks are compiled at the start; that of any other type waits for its first write (60 ms)."""


def require_settings(service: Service) -> None:
    """Raises ``ValidationError`` where settings of ``service`` do not hold."""
    read: tuple[type[ConsiliumSettings], ...] = (BulkSettings, *service.settings)
    for settings in read:
        settings()


def engine_of(
    service: Service,
    pool: Pool,
    *,
    wake_relay: Callable[[], None] = lambda: None,
    replica: Replica | None = None,
    peers: Peers | None = None,
) -> Engine:
    """The engine of ``service`` on ``pool``; searches go to ``replica`` where there is one.

    ``peers`` are for a process that keeps copies of what other services own."""
    return Engine(
        service.name,
        service.kinds,
        pool,
        outgoing=service.outgoing,
        observe=service.observe,
        projection=service.projection,
        operations=service.operations,
        wake_relay=wake_relay,
        records_provenance=service.records_provenance,
        tells=service.tells,
        copied=service.copied,
        peers=peers,
        replica=replica,
    )


def rest_app(service: Service, engine: Engine, verifier: Verifier) -> FastAPI:
    """The REST API of ``service``: FastAPI proper, RFC 9457 errors."""
    app = FastAPI(
        title=f"Consilium {service.name}",
        openapi_url=f"/api/{service.name}/openapi.json",
        docs_url=None,
        version=version("consilium"),
        responses={"default": DOCUMENTED},
        telemetry=FASTAPI_OFF,
    )
    app.state.engine = engine
    app.state.verifier = verifier
    install_problem_handlers(app)
    app.add_middleware(Guarded, verifier=verifier)
    app.add_middleware(LastResort)
    app.router.routes.extend(health_routes(checks_of(service, engine)))
    for router in service.routers:
        app.include_router(router, prefix="/api", dependencies=[Depends(declared_only)])
    for router in service.roots:
        app.include_router(router, dependencies=[Depends(declared_only)])
    return app


def checks_of(service: Service, engine: Engine) -> dict[str, Check]:
    """What must hold before this service takes requests."""
    newest = head(service.migrations)
    checks = {"database": database_check(engine.pool)}
    return checks if newest is None else checks | {"migrations": migrations_check(engine.pool, newest)}


@dataclass(frozen=True, slots=True)
class ServiceApp:
    """The ASGI app of one service: ``/fhir`` and its parts of transactions by the engine, the rest by FastAPI."""

    fhir: FhirApp
    parts: PartsApp
    rest: FastAPI

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Dispatch by path."""
        if scope["type"] == "http":
            path = scope["path"]
            if path.startswith("/fhir") and (len(path) == 5 or path[5] == "/"):
                await self.fhir(scope, receive, send)
                return
            if path.startswith(f"{PATH}/"):
                await self.parts(scope, receive, send)
                return
        await self.rest(scope, receive, send)


def service_app(
    service: Service,
    engine: Engine,
    verifier: Verifier,
    *,
    peers: KnownPeers | None = None,
    base_url: str | None = None,
    known_as: str | None = None,
    trust_forwarded: bool = False,
) -> ServiceApp:
    """The whole API process of ``service``, as ASGI; ``known_as`` is another URL of the base, for references only.

    ``peers`` tells gateways from others; without it the service takes no part in transactions over services."""
    fhir = FhirApp(engine, verifier, base_url=base_url, known_as=known_as, trust_forwarded=trust_forwarded)
    return ServiceApp(fhir, PartsApp(fhir, peers), rest_app(service, engine, verifier))


def topics(services: Iterable[Service]) -> dict[str, tuple[str, ...]]:
    """Queue -> routing keys, over all ``services``."""
    return {binding.queue: binding.routing_keys for service in services for binding in service.bindings}
