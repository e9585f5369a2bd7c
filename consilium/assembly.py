"""Everything put together in one process: engines on their databases, the gateway before them, the workers behind."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from secrets import token_hex

import asyncpg

from consilium.front import front
from services.careplans.main import SERVICE as CAREPLANS
from services.gateway.asgi import ASGIApp
from services.gateway.main import Gateway
from services.gateway.settings import GatewaySettings
from services.notifications.main import SERVICE as NOTIFICATIONS
from services.referrals.main import SERVICE as REFERRALS
from shared.copies.local import LocalPeers
from shared.engine import Engine
from shared.fhir.parts.wire import GATEWAY
from shared.messaging.consumer import declare
from shared.messaging.doorbell import Doorbell, listen
from shared.messaging.refill_request import refill_queue
from shared.messaging.relay import Relay
from shared.messaging.topology import Queue
from shared.messaging.transport import Transport
from shared.messaging.transports.in_process import open_in_process
from shared.process.databases import BUS
from shared.process.reading import read
from shared.process.replicas import replica_of
from shared.security.peers import KnownPeers, PeerTokens
from shared.security.tokens import OpenVerifier, Verifier
from shared.service import Service, engine_of, service_app
from shared.settings import ServerSettings
from shared.store.database import Pool, open_pool
from shared.telemetry.health import Check
from shared.telemetry.metrics import MessagingGauges
from shared.telemetry.setup import Telemetry
from shared.watch import watch
from shared.worker import queue_of, run_worker

SERVICES: tuple[Service, ...] = (REFERRALS, CAREPLANS, NOTIFICATIONS)
CONNECTIONS = 150
"""PostgreSQL connections that all processes of an installation share (the embedded server takes 200)."""


@dataclass(frozen=True, slots=True)
class Background:
    """The workers of all services on one transport."""

    transport: Transport
    engines: Mapping[str, Engine]
    relays: Mapping[str, Relay]
    gauges: MessagingGauges
    alone: bool
    """No other process writes: nobody needs to ring."""

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop``. All queues stand before the first event is relayed, so that none is unroutable."""
        queues = _queues()
        # requests for a refill, too: the first queue that is made anew asks for one
        await declare(self.transport, [*(refill_queue(service.name) for service in SERVICES), *queues], stop)
        pools = {name: engine.pool for name, engine in self.engines.items()}
        async with asyncio.TaskGroup() as group:
            group.create_task(watch(pools, self.transport, queues, self.gauges, stop), name="watch")
            for service in SERVICES:
                name = service.name
                if not self.alone:
                    group.create_task(listen(pools[name], self.relays[name], stop), name=f"{name} bell")
                group.create_task(
                    run_worker(service, self.engines[name], self.transport, self.relays[name], stop), name=name
                )

    async def reachable(self) -> bool:
        """The carrier of messages answers. Raises what it raises where it does not."""
        return await self.transport.depth(_queues()[0].name) >= 0


def _queues() -> list[Queue]:
    return [queue_of(binding) for service in SERVICES for binding in service.bindings]


@dataclass(frozen=True, slots=True)
class Assembly:
    """What a process serves and runs."""

    app: ASGIApp
    gateway: Gateway
    engines: Mapping[str, Engine]
    background: Background | None
    bells: tuple[Doorbell, ...] = ()
    """To wake the relays, where they are in another process."""

    async def read(self, stop: asyncio.Event) -> None:
        """The API process's own jobs, until ``stop``: event streams are fed, relays woken, transactions over services
        brought to their end."""
        async with asyncio.TaskGroup() as group:
            group.create_task(
                read([(service, self.engines[service.name]) for service in SERVICES], stop, bells=self.bells)
            )
            group.create_task(self.gateway.recover(stop))


@asynccontextmanager
async def assembled(
    databases: Mapping[str, str],
    verifier: Verifier,
    telemetry: Telemetry,
    *,
    amqp_url: str | None = None,
    background: bool = True,
    processes: int = 1,
) -> AsyncIterator[Assembly]:
    """An ``Assembly`` on ``databases`` (by service, and the bus); pools are closed when the block ends."""
    size = max(4, min(16, CONNECTIONS // (len(SERVICES) * processes)))
    async with AsyncExitStack() as stack:
        pools: dict[str, Pool] = {}
        for service in SERVICES:
            pools[service.name] = await open_pool(databases[service.name], size=size)
            stack.push_async_callback(pools[service.name].close)
        workers: Background | None = None
        bells = {name: Doorbell(pool) for name, pool in pools.items()}
        wake = {name: bell.ring for name, bell in bells.items()}
        if background:
            transport = await _transport(databases, amqp_url)
            stack.push_async_callback(transport.close)
            relays = {name: Relay(pool, transport) for name, pool in pools.items()}
            wake = {name: relay.wake for name, relay in relays.items()}
        engines: dict[str, Engine] = {}
        for service in SERVICES:
            name, pool = service.name, pools[service.name]
            replica = await stack.enter_async_context(replica_of(name, pool, ServerSettings(), size=size))
            peers = LocalPeers(name, engines)
            engines[name] = engine_of(service, pool, wake_relay=wake[name], replica=replica, peers=peers)
        if background:
            workers = Background(transport, engines, relays, MessagingGauges(telemetry), alone=processes == 1)
        settings = GatewaySettings()
        # nobody outside this process needs to know it: services and gateway are in it together
        secret = token_hex(32)
        known = KnownPeers(secret)
        upstreams: dict[str, ASGIApp] = {
            service.name: service_app(
                service,
                engines[service.name],
                verifier,
                peers=known,
                known_as=settings.public_base,
                trust_forwarded=settings.trust_forwarded,
            )
            for service in SERVICES
        }
        checks = {"messages": workers.reachable if workers else _carrier_check(databases, amqp_url)}
        gateway = Gateway(upstreams, settings, peer=PeerTokens(GATEWAY, secret).header, checks=checks)
        app = front(gateway, telemetry, open_mode=isinstance(verifier, OpenVerifier))
        yield Assembly(app, gateway, engines, workers, () if background else tuple(bells.values()))


def _carrier_check(databases: Mapping[str, str], amqp_url: str | None) -> Check:
    """Whether the carrier of messages answers, for a process that has no transport open: it connects anew."""

    async def reachable() -> bool:
        if amqp_url:
            transport = await _transport(databases, amqp_url)
            try:
                return await transport.depth(_queues()[0].name) >= 0
            finally:
                await transport.close()
        connection = await asyncpg.connect(databases[BUS], timeout=1.5)
        try:
            return bool(await connection.fetchval("SELECT 1") == 1)
        finally:
            await connection.close()

    return reachable


async def _transport(databases: Mapping[str, str], amqp_url: str | None) -> Transport:
    if amqp_url:
        # loaded only where there is a broker: a start without one is a fifth of a second shorter
        from shared.messaging.transports.rabbitmq import RabbitTransport

        return RabbitTransport(amqp_url)
    # each consumer holds one, that of refills too; each relay takes one at a time
    consumers = sum(len(service.bindings) + 1 for service in SERVICES)
    return await open_in_process(await open_pool(databases[BUS], size=consumers + len(SERVICES) + 2))
