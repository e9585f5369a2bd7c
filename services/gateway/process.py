"""The gateway in a process of its own, with the services behind the URLs of its settings."""

import asyncio
import sys
from contextlib import aclosing

from services.gateway.main import over_http
from services.gateway.settings import GatewaySettings
from shared.process.api import answer
from shared.process.front import front
from shared.process.life import life
from shared.process.server import require_free
from shared.process.settings import ProcessSettings


async def examine() -> int:
    """``python -m services.gateway doctor``: the services behind the gateway, and its own settings; the exit code."""
    from shared.doctor.command import report
    from shared.doctor.diagnose import diagnose

    known = GatewaySettings()
    urls = {
        "referrals": known.referrals_url,
        "careplans": known.careplans_url,
        "notifications": known.notifications_url,
    }
    return await report(diagnose([], apart=True, urls=urls), json="--json" in sys.argv)


async def serve_gateway() -> None:
    """Serve until SIGTERM. Raises ``PortTaken``, ``ValidationError`` where settings do not hold."""
    settings, known = ProcessSettings(), GatewaySettings()
    require_free(settings.host, settings.port)
    leaving = asyncio.Event()
    async with life("gateway") as (telemetry, stop), aclosing(over_http(known, leaving=leaving)) as gateway:
        recovering = asyncio.create_task(gateway.recover(leaving), name="recovery")
        await answer(front(gateway, telemetry), settings, stop, leaving, beside=[recovering])
