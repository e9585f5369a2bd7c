"""What every request passes before the gateway sees it; in open mode that is also who may ask."""

from services.gateway.asgi import ASGIApp
from services.gateway.nearby import NearbyOnly
from shared.process import front as process
from shared.telemetry.setup import Telemetry


def front(gateway: ASGIApp, telemetry: Telemetry, *, open_mode: bool) -> ASGIApp:
    """``gateway`` with everything before it; in ``open_mode`` it answers this machine's programs only."""
    return process.front(NearbyOnly(gateway) if open_mode else gateway, telemetry)
