"""The gateway in a process of its own, with the services behind the URLs of its settings."""

import asyncio
from contextlib import aclosing

from services.gateway.main import over_http
from services.gateway.settings import GatewaySettings
from shared.process.api import answer
from shared.process.front import front
from shared.process.life import life
from shared.process.server import require_free
from shared.process.settings import ProcessSettings


async def serve_gateway() -> None:
    """Serve until SIGTERM. Raises ``PortTaken``, ``ValidationError`` where settings do not hold."""
    settings, known = ProcessSettings(), GatewaySettings()
    require_free(settings.host, settings.port)
    async with life("gateway") as (telemetry, stop), aclosing(over_http(known)) as gateway:
        await answer(front(gateway, telemetry), settings, stop, asyncio.Event())
