"""The gateway in a process of its own, with the services behind the URLs of its settings."""

import asyncio
import sys
from contextlib import aclosing

from services.gateway.main import over_http
from services.gateway.settings import GatewaySettings
from shared.fhir.parts.wire import GATEWAY
from shared.process.api import answer
from shared.process.front import front
from shared.process.life import life
from shared.process.mistakes import Mistake
from shared.process.server import require_free
from shared.process.settings import ProcessSettings
from shared.security.peers import PeerTokens
from shared.security.settings import SecuritySettings


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
    """Serve until SIGTERM. Raises ``PortTaken``, ``Mistake``, ``ValidationError`` where settings do not hold."""
    settings, known = ProcessSettings(), GatewaySettings()
    secret = SecuritySettings().peer_key
    if secret is None:
        raise Mistake("CONSILIUM_PEER_KEY: by it the services know their gateways; set it, the same for all of them.")
    peer = PeerTokens(GATEWAY, secret.get_secret_value()).header
    require_free(settings.host, settings.port)
    leaving = asyncio.Event()
    async with life("gateway") as (telemetry, stop), aclosing(over_http(known, peer, leaving=leaving)) as gateway:
        recovering = asyncio.create_task(gateway.recover(leaving), name="recovery")
        await answer(front(gateway, telemetry), settings, stop, leaving, beside=[recovering])
