"""How long requests took, by method, route and status, and how many are open: the RED metrics and saturation.

One histogram (https://opentelemetry.io/docs/specs/semconv/http/http-metrics/) gives rate, errors and duration.
"""

from collections.abc import Mapping
from typing import Any

from opentelemetry.sdk.metrics.export import Metric

from shared.telemetry.instruments import Labels, Levels, Timings


class Durations(Timings):
    """The histogram of one process: ``add(seconds, method, route, status)``."""

    def __init__(self) -> None:
        super().__init__("http.server.request.duration", "Duration of HTTP server requests.")
        self.active = Active()

    def _attributes(self, values: Labels) -> Mapping[str, Any]:
        method, route, status = values
        attributes = {"http.request.method": method, "http.route": route, "http.response.status_code": status}
        return attributes | {"error.type": str(status)} if int(status) >= 500 else attributes


class Active(Levels):
    """Requests that are being served, open streams included."""

    def __init__(self) -> None:
        super().__init__("http.server.active_requests", "Requests being served.", unit="{request}")
        self.now = 0

    def metric(self) -> Metric | None:
        """See ``Instrument``."""
        self.set(self.now)
        return super().metric()
