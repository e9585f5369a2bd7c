"""The API process of one service: ``python -m services.referrals api``."""

import asyncio
from collections.abc import Collection
from contextlib import AsyncExitStack

from starlette.types import ASGIApp

from shared.messaging.doorbell import Doorbell
from shared.process.draining import Draining
from shared.process.front import front
from shared.process.life import life, unless, until
from shared.process.mistakes import Mistake
from shared.process.opening import let_go, opened
from shared.process.reading import read
from shared.process.replicas import replica_of
from shared.process.server import require_free, serve
from shared.process.settings import ProcessSettings
from shared.security.peers import KnownPeers, PeerVerifier
from shared.security.settings import AuthMode, SecuritySettings
from shared.security.tokens import verifier_for
from shared.service import Service, engine_of, require_settings, service_app


async def serve_api(service: Service) -> None:
    """Serve ``service`` until SIGTERM. Raises ``Mistake``, ``ValidationError`` where settings do not hold."""
    settings, security = ProcessSettings(), SecuritySettings()
    require_settings(service)
    if security.auth is AuthMode.OPEN:
        raise Mistake("CONSILIUM_AUTH=open is for `consilium run` on one machine; a service needs tokens.")
    require_free(settings.host, settings.port)
    async with life(service.name) as (telemetry, stop), AsyncExitStack() as stack:
        pool = await unless(stop, opened(service.name, settings))
        stack.push_async_callback(let_go, pool)
        bell = Doorbell(pool)
        replica = await stack.enter_async_context(replica_of(service.name, pool, settings, size=settings.pool_size))
        engine = engine_of(service, pool, wake_relay=bell.ring, replica=replica)
        verifier = verifier_for(security)
        peers = None
        if security.peer_key is not None:
            peers = KnownPeers(security.peer_key.get_secret_value())
            verifier = PeerVerifier(verifier, peers)
        app = service_app(
            service,
            engine,
            verifier,
            peers=peers,
            known_as=settings.public_base,
            trust_forwarded=settings.trust_forwarded,
        )
        leaving = asyncio.Event()
        reading = asyncio.create_task(read([(service, engine)], leaving, bells=[bell]), name="readers")
        await answer(front(app, telemetry), settings, stop, leaving, beside=[reading])


async def answer(
    app: ASGIApp,
    settings: ProcessSettings,
    stop: asyncio.Event,
    leaving: asyncio.Event,
    *,
    beside: Collection[asyncio.Task[None]] = (),
) -> None:
    """Listen with ``app`` until ``stop``, then drain, set ``leaving`` and answer what is open.

    ``beside`` are tasks that end with ``leaving``."""
    draining = Draining(app)

    async def drained() -> None:
        await stop.wait()
        await draining.drain(settings.drain_s)
        leaving.set()

    serving = asyncio.create_task(serve(draining, host=settings.host, port=settings.port, stop=leaving), name="API")
    ending = asyncio.create_task(drained())
    try:
        await until(leaving, [serving], beside)
    finally:
        ending.cancel()
