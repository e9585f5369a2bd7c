"""What every request passes before a service sees it: its span, refusals that arrive, and the last resort."""

from starlette.responses import Response
from starlette.types import ASGIApp

from shared.fhir.outcome import UNEXPECTED
from shared.lingering import Lingering
from shared.problem import LastResort
from shared.telemetry.http import HttpTelemetry
from shared.telemetry.settings import TelemetrySettings
from shared.telemetry.setup import Telemetry


def front(app: ASGIApp, telemetry: Telemetry) -> ASGIApp:
    """``app`` with everything before it."""
    answering = LastResort(app, {"/fhir": _unexpected})
    # outside of what is timed: how long a refused client goes on sending says nothing of this server
    return Lingering(HttpTelemetry(answering, telemetry, slow_s=TelemetrySettings().slow_request_s))


def _unexpected() -> Response:
    return Response(UNEXPECTED.body, UNEXPECTED.status, media_type="application/fhir+json")
