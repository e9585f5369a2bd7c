"""OpenTelemetry of one process: tracer, meter, exporters (https://opentelemetry.io/docs/specs/otel/).

``start`` once per process, ``current`` wherever a span or an instrument is made. OpenTelemetry's own global providers
stay untouched: they can be set only once, and libraries that find them would record what we must not.
"""

import os
from dataclasses import dataclass
from importlib import metadata
from threading import Thread

from fastapi.telemetry import TelemetryConfig
from opentelemetry.metrics import Meter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, Sampler, TraceIdRatioBased
from opentelemetry.trace import Tracer

from shared.ids import uuid7
from shared.telemetry.durations import DurationExporter, Durations
from shared.telemetry.settings import TelemetrySettings

FASTAPI_OFF: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
"""``FastAPI(telemetry=FASTAPI_OFF)``: its own telemetry would export the texts of exceptions."""


@dataclass(frozen=True)
class Telemetry:
    """What a process records with."""

    tracer: Tracer
    """For spans inside a request or a handler, and for roots of background work."""
    edge: Tracer
    """For server spans: whoever uses it has decided to record."""
    meter: Meter
    durations: Durations | None
    """None where metrics go nowhere."""
    trace_ratio: float
    """Zero where spans go nowhere."""
    providers: tuple[TracerProvider | MeterProvider, ...] = ()
    exporters: tuple[SpanExporter | MetricExporter, ...] = ()

    def flush(self) -> None:
        """Exports what is waiting."""
        for provider in self.providers:
            provider.force_flush()

    def shutdown(self, *, within_s: float = 2.0) -> None:
        """Exports what is waiting and stops. A collector that does not answer delays this by ``within_s`` seconds."""
        ending = Thread(target=self._end, name="telemetry-shutdown", daemon=True)
        ending.start()
        ending.join(within_s)
        if ending.is_alive():
            # this wakes an exporter from the pause before its next attempt, and lets it give up
            for exporter in self.exporters:
                exporter.shutdown()
            ending.join(within_s)

    def _end(self) -> None:
        for provider in self.providers:
            provider.shutdown()


def start(
    service: str,
    settings: TelemetrySettings | None = None,
    *,
    span_exporter: SpanExporter | None = None,
    metric_exporter: MetricExporter | None = None,
) -> Telemetry:
    """Starts telemetry for the process that runs ``service`` and makes it ``current``.

    Without exporters (tests hand theirs in; spans reach those at once) OTLP over HTTP is used where
    ``OTEL_EXPORTER_OTLP_ENDPOINT`` says so, else nothing is recorded and only trace ids travel.
    """
    global _current  # one per process, as its threads and exporters are
    settings = settings or TelemetrySettings()
    resource = Resource.create(
        {
            "service.name": service,
            "service.namespace": "consilium",
            "service.version": metadata.version("consilium"),
            "service.instance.id": uuid7(),
        }
    )
    exporting = bool(os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"))
    processor: SpanProcessor | None = None
    if span_exporter is not None:
        processor = SimpleSpanProcessor(span_exporter)
    elif exporting:
        span_exporter = _otlp_spans()
        processor = BatchSpanProcessor(span_exporter)
    if metric_exporter is None and exporting:
        metric_exporter = _otlp_metrics()
    ratio = settings.trace_ratio if processor else 0.0
    inner = _tracers(resource, processor, ParentBased(TraceIdRatioBased(ratio)) if processor else ALWAYS_OFF)
    edge = _tracers(resource, processor, ALWAYS_ON if processor else ALWAYS_OFF)
    durations = Durations() if metric_exporter else None
    readers: list[MetricReader] = []
    if metric_exporter and durations:
        exporter = DurationExporter(metric_exporter, durations, resource)
        readers.append(PeriodicExportingMetricReader(exporter, settings.metric_interval_s * 1000))
    meters = MeterProvider(readers, resource, shutdown_on_exit=False)
    # One gauge that is always there: the reader exports nothing when the SDK itself has collected nothing.
    meters.get_meter("consilium").create_up_down_counter("consilium.process.up").add(1)
    _current = Telemetry(
        tracer=inner.get_tracer("consilium"),
        edge=edge.get_tracer("consilium"),
        meter=meters.get_meter("consilium"),
        durations=durations,
        trace_ratio=ratio,
        providers=(inner, edge, meters),
        exporters=tuple(exporter for exporter in (span_exporter, metric_exporter) if exporter is not None),
    )
    return _current


def current() -> Telemetry:
    """The process's telemetry; one that records nothing until ``start`` was called."""
    return _current


def _tracers(resource: Resource, processor: SpanProcessor | None, sampler: Sampler) -> TracerProvider:
    provider = TracerProvider(sampler, resource, shutdown_on_exit=False)
    if processor is not None:
        provider.add_span_processor(processor)
    return provider


def _silent() -> Telemetry:
    tracer = TracerProvider(ALWAYS_OFF, shutdown_on_exit=False).get_tracer("consilium")
    meter = MeterProvider(shutdown_on_exit=False).get_meter("consilium")
    return Telemetry(tracer=tracer, edge=tracer, meter=meter, durations=None, trace_ratio=0.0)


_current = _silent()


def _otlp_spans() -> SpanExporter:
    # OTLP is loaded only where it is used: its import is a tenth of a start
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter()


def _otlp_metrics() -> MetricExporter:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

    return OTLPMetricExporter()
