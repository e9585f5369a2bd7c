"""What telemetry adds to one request and to one export, step by step, in microseconds of one core.

On a machine that others use too this says more than throughput: it is the least of many short runs.
"""

import asyncio
import time
from collections.abc import Callable

from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from starlette.types import Message, Receive, Scope, Send

from shared.telemetry import measures
from shared.telemetry.http import HttpTelemetry
from shared.telemetry.settings import TelemetrySettings
from shared.telemetry.setup import Telemetry, start

SCOPE: Scope = {"type": "http", "method": "GET", "path": "/fhir/CarePlan/1", "headers": [], "scheme": "http"}
REQUESTS, RUNS = 2_000, 15


class _Encodes(MetricExporter):
    """Encodes as OTLP does and sends nothing."""

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: object) -> MetricExportResult:
        encode_metrics(metrics_data)
        return MetricExportResult.SUCCESS

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        return True

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: object) -> None: ...


class _Drops(SpanExporter):
    def export(self, spans: object) -> SpanExportResult:
        return SpanExportResult.SUCCESS


def telemetry_parts() -> dict[str, float]:
    """Step -> microseconds."""
    off = start("bench", TelemetrySettings())
    without = _request(off)
    by_ratio = {}
    for ratio in (0.0, 0.05, 1.0):
        on = _on(ratio)
        by_ratio[ratio] = _request(on) - without
        exporting = _least(on.flush, 1)
        on.shutdown()
    start("bench", TelemetrySettings())
    return {
        "request, metrics only": round(by_ratio[0.0], 1),
        "request, 5 % traced": round(by_ratio[0.05], 1),
        "request, all traced": round(by_ratio[1.0], 1),
        "wait for a connection": round(_least(lambda: measures.POOL_WAIT.add(0.001, "bench"), 1000), 2),
        "export of all metrics": round(exporting, 1),
    }


def _on(ratio: float) -> Telemetry:
    settings = TelemetrySettings(trace_ratio=ratio, trace_per_s=1e9, metric_interval_s=3600)
    return start("bench", settings, span_exporter=_Drops(), metric_exporter=_Encodes())


def _request(telemetry: Telemetry) -> float:
    """Microseconds of one request through the middleware."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Message) -> None: ...

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    served = HttpTelemetry(app, telemetry)

    async def many() -> None:
        for _ in range(REQUESTS):
            await served(dict(SCOPE), receive, send)

    return _least(lambda: asyncio.run(many()), 1) / REQUESTS


def _least(step: Callable[[], object], times: int) -> float:
    """Microseconds of processor time, the least of the runs: others can only add to it."""
    found = []
    for _ in range(RUNS):
        began = time.process_time()
        for _ in range(times):
            step()
        found.append((time.process_time() - began) / times * 1e6)
    return min(found)


if __name__ == "__main__":
    print(telemetry_parts())
