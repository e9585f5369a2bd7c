"""OpenTelemetry of one process: tracer, meter, exporters (https://opentelemetry.io/docs/specs/otel/).

``start`` once per process, ``current`` wherever a span or an instrument is made. OpenTelemetry's own global providers
stay untouched: they can be set only once, and libraries that find them would record what we must not.
"""

import asyncio
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import metadata
from threading import Thread

from fastapi.telemetry import TelemetryConfig
from opentelemetry.metrics import Meter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import Metric, MetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, Sampler
from opentelemetry.trace import SpanContext, Tracer

from shared.ids import uuid7
from shared.process.mistakes import read_by_others
from shared.telemetry import measures
from shared.telemetry.durations import Durations
from shared.telemetry.exporting import OwnInstruments
from shared.telemetry.instruments import REGISTERED, collected
from shared.telemetry.log_export import LogExport
from shared.telemetry.loop import LoopWatch
from shared.telemetry.pools import pool_gauges
from shared.telemetry.process import process_gauges
from shared.telemetry.sampling import Share
from shared.telemetry.settings import TelemetrySettings

FASTAPI_OFF: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
"""``FastAPI(telemetry=FASTAPI_OFF)``: its own telemetry would export the texts of exceptions."""


class ChosenIds(RandomIdGenerator):
    """Ids of spans, at random, or those of ``chosen``: for a span that is made after the fact."""

    chosen: SpanContext | None = None

    def generate_trace_id(self) -> int:
        """See ``IdGenerator``."""
        return self.chosen.trace_id if self.chosen else super().generate_trace_id()

    def generate_span_id(self) -> int:
        """See ``IdGenerator``."""
        return self.chosen.span_id if self.chosen else super().generate_span_id()


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
    share: Share | None
    """Of the new traces, which is recorded; None where spans go nowhere."""
    edge_ids: ChosenIds = field(default_factory=ChosenIds)
    """Where ``edge`` has its spans' ids from."""
    providers: tuple[TracerProvider | MeterProvider | LoggerProvider, ...] = ()
    exporters: tuple[SpanExporter | MetricExporter | LogRecordExporter, ...] = ()
    endings: tuple[Callable[[], None], ...] = ()
    """What ``shutdown`` does first."""

    def flush(self) -> None:
        """Exports what is waiting."""
        for provider in self.providers:
            provider.force_flush()

    def shutdown(self, *, within_s: float = 2.0) -> None:
        """Exports what is waiting and stops. A collector that does not answer delays this by ``within_s`` seconds."""
        for end in self.endings:
            end()
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
    log_exporter: LogRecordExporter | None = None,
) -> Telemetry:
    """Starts telemetry for the process that runs ``service`` and makes it ``current``.

    Without exporters (tests hand theirs in; spans and logs reach those at once) OTLP over HTTP is used where
    ``OTEL_EXPORTER_OTLP_ENDPOINT`` says so, else nothing is recorded and only trace ids travel.
    Raises ``BadVariable``.
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
        with read_by_others("OTEL_BSP_"):
            processor = BatchSpanProcessor(span_exporter)
    if metric_exporter is None and exporting:
        metric_exporter = _otlp_metrics()
    at_once = log_exporter is not None
    if log_exporter is None and exporting and settings.log_export:
        log_exporter = _otlp_logs()
    share = Share(settings.trace_ratio, settings.trace_per_s) if processor and settings.trace_ratio else None
    ids = ChosenIds()
    inner = _tracers(resource, processor, ParentBased(share) if share else ALWAYS_OFF)
    edge = _tracers(resource, processor, ALWAYS_ON if processor else ALWAYS_OFF, ids)
    durations = Durations() if metric_exporter else None
    meters = _meters(resource, metric_exporter, durations, settings)
    providers: list[TracerProvider | MeterProvider | LoggerProvider] = [inner, edge, meters]
    endings: list[Callable[[], None]] = []
    if log_exporter is not None:
        logs = LoggerProvider(resource, shutdown_on_exit=False)
        with read_by_others("OTEL_BLRP_"):
            batch = (SimpleLogRecordProcessor if at_once else BatchLogRecordProcessor)(log_exporter)
        logs.add_log_record_processor(batch)
        handler = LogExport(logs, service)
        logging.getLogger().addHandler(handler)
        endings.append(lambda: logging.getLogger().removeHandler(handler))
        providers.append(logs)
    if durations is not None:
        with suppress(RuntimeError):  # no loop is running: nothing lags
            asyncio.get_running_loop()
            endings.append(LoopWatch(measures.LOOP_LAG).stop)
    exporters = (span_exporter, metric_exporter, log_exporter)
    _current = Telemetry(
        tracer=inner.get_tracer("consilium"),
        edge=edge.get_tracer("consilium"),
        meter=meters.get_meter("consilium"),
        durations=durations,
        share=share,
        edge_ids=ids,
        providers=tuple(providers),
        exporters=tuple(exporter for exporter in exporters if exporter is not None),
        endings=tuple(endings),
    )
    return _current


def current() -> Telemetry:
    """The process's telemetry; one that records nothing until ``start`` was called."""
    return _current


def _tracers(
    resource: Resource, processor: SpanProcessor | None, sampler: Sampler, ids: ChosenIds | None = None
) -> TracerProvider:
    provider = TracerProvider(sampler, resource, shutdown_on_exit=False, id_generator=ids)
    if processor is not None:
        provider.add_span_processor(processor)
    return provider


def _meters(
    resource: Resource, exporter: MetricExporter | None, durations: Durations | None, settings: TelemetrySettings
) -> MeterProvider:
    if exporter is None or durations is None:
        return MeterProvider((), resource, shutdown_on_exit=False)

    def own() -> list[Metric]:
        return collected([durations, durations.active, *REGISTERED.values()])

    reader = PeriodicExportingMetricReader(
        OwnInstruments(exporter, own, resource), export_interval_millis=settings.metric_interval_s * 1000
    )
    meters = MeterProvider((reader,), resource, shutdown_on_exit=False)
    meter = meters.get_meter("consilium")
    # One that is always there: the reader exports nothing when the SDK itself has collected nothing.
    meter.create_up_down_counter("consilium.process.up").add(1)
    pool_gauges(meter)
    process_gauges(meter, settings.data_dir)
    return meters


def _silent() -> Telemetry:
    tracer = TracerProvider(ALWAYS_OFF, shutdown_on_exit=False).get_tracer("consilium")
    meter = MeterProvider(shutdown_on_exit=False).get_meter("consilium")
    return Telemetry(tracer=tracer, edge=tracer, meter=meter, durations=None, share=None)


_current = _silent()


def _otlp_spans() -> SpanExporter:
    # OTLP is loaded only where it is used: its import is a tenth of a start
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter()


def _otlp_metrics() -> MetricExporter:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

    return OTLPMetricExporter()


def _otlp_logs() -> LogRecordExporter:
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter

    return OTLPLogExporter()
