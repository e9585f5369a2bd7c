"""The worker process of one service: ``python -m services.referrals worker``. It listens for probes only."""

import asyncio
from contextlib import AsyncExitStack

from starlette.applications import Starlette

from shared.copies.http import HttpPeers
from shared.messaging.consumer import declare
from shared.messaging.doorbell import listen
from shared.messaging.refill_request import refill_queue
from shared.messaging.relay import Relay
from shared.messaging.transports.rabbitmq import RabbitTransport
from shared.messaging.waiting import either
from shared.process.life import life, unless, until
from shared.process.mistakes import Mistake
from shared.process.opening import let_go, opened
from shared.process.server import require_free, serve
from shared.process.settings import ProcessSettings
from shared.security.peers import PeerTokens
from shared.security.settings import SecuritySettings
from shared.service import Service, checks_of, engine_of
from shared.telemetry.health import Check, health_routes, holds
from shared.telemetry.metrics import MessagingGauges
from shared.watch import watch
from shared.worker import queue_of, require_retention, run_worker

LOOK = 1.0
"""Seconds between looks at a schema that is not there yet."""


async def work(service: Service) -> None:
    """Relay, consume and run the jobs of ``service`` until SIGTERM. Raises ``Mistake``, ``ValidationError``."""
    settings = ProcessSettings()
    require_retention(service)
    if not settings.amqp_url:
        raise Mistake("CONSILIUM_AMQP_URL: a worker needs a broker; without one, `consilium run` does everything.")
    secret = SecuritySettings().peer_key
    if service.copied and secret is None:
        raise Mistake("CONSILIUM_PEER_KEY: a worker reads what other services own, and its key is how they know it.")
    require_free(settings.host, settings.port)
    async with life(f"{service.name}-worker") as (telemetry, stop), AsyncExitStack() as stack:
        pool = await unless(stop, opened(service.name, settings))
        stack.push_async_callback(let_go, pool)
        transport = RabbitTransport(settings.amqp_url)
        stack.push_async_callback(transport.close)
        relay = Relay(pool, transport)
        peers = None
        if secret is not None:
            peers = HttpPeers(PeerTokens(service.name, secret.get_secret_value()), settings.peer_urls)
            stack.push_async_callback(peers.aclose)
        engine = engine_of(service, pool, wake_relay=relay.wake, peers=peers)
        queues = [queue_of(binding) for binding in service.bindings]
        checks = checks_of(service, engine)

        async def broker() -> bool:
            return await transport.depth(refill_queue(service.name).name) >= 0

        probes = Starlette(routes=health_routes(checks | {"messages": broker}))
        gauges = MessagingGauges(telemetry)

        async def working() -> None:
            await _schema(checks, stop)
            async with asyncio.TaskGroup() as group:
                group.create_task(run_worker(service, engine, transport, relay, stop), name="work")
                group.create_task(listen(pool, relay, stop), name="bell")
                # before the watch looks at them
                await declare(transport, [refill_queue(service.name), *queues], stop)
                group.create_task(watch({service.name: pool}, transport, queues, gauges, stop), name="watch")

        await until(
            stop,
            [
                asyncio.create_task(working(), name="worker"),
                asyncio.create_task(serve(probes, host=settings.host, port=settings.port, stop=stop), name="probes"),
            ],
        )


async def _schema(checks: dict[str, Check], stop: asyncio.Event) -> None:
    """Return once the schema is what this version needs, or on ``stop``: migrations may still run."""
    while not stop.is_set() and not await holds("migrations", checks["migrations"]):
        await either(stop, seconds=LOOK)
