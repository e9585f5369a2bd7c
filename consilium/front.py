"""What every request passes before the gateway sees it: its span and duration, the last resort, and who may ask."""

from starlette.responses import Response

from services.gateway.asgi import ASGIApp
from services.gateway.nearby import NearbyOnly
from shared.fhir.outcome import UNEXPECTED
from shared.problem import LastResort
from shared.telemetry.http import HttpTelemetry
from shared.telemetry.settings import TelemetrySettings
from shared.telemetry.setup import Telemetry


def front(gateway: ASGIApp, telemetry: Telemetry, *, open_mode: bool) -> ASGIApp:
    """``gateway`` with everything before it; in ``open_mode`` it answers this machine's programs only."""
    app = NearbyOnly(gateway) if open_mode else gateway
    return HttpTelemetry(LastResort(app, {"/fhir": _unexpected}), telemetry, slow_s=TelemetrySettings().slow_request_s)


def _unexpected() -> Response:
    return Response(UNEXPECTED.body, UNEXPECTED.status, media_type="application/fhir+json")
