"""What a process tells those who operate it, kept for a test to read: figures and log lines."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.sdk.metrics.export import Metric, MetricExporter, MetricExportResult, MetricsData

from shared.telemetry.logs import JsonFormatter


class MetricsKept(MetricExporter):
    """What was exported, by metric name: the points, and the whole metric."""

    def __init__(self) -> None:
        super().__init__()
        self.points: dict[str, list[Any]] = {}
        self.metrics: dict[str, Metric] = {}

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:
        encode_metrics(metrics_data)  # one value that the wire format refuses would lose the whole batch
        for resource in metrics_data.resource_metrics:
            for scope in resource.scope_metrics:
                self.points |= {metric.name: list(metric.data.data_points) for metric in scope.metrics}
                self.metrics |= {metric.name: metric for metric in scope.metrics}
        return MetricExportResult.SUCCESS

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        return True

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None: ...


class LinesKept(logging.Handler):
    """Writes every record of every logger as our processes do."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self._lines = lines
        self.setFormatter(JsonFormatter("test"))

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))


@contextmanager
def every_log_line(lines: list[str]) -> Iterator[None]:
    """Everything that anybody logs, at DEBUG, into ``lines``: more than an operator could ever switch on."""
    root, handler = logging.getLogger(), LinesKept(lines)
    loggers = [root, *(one for one in logging.root.manager.loggerDict.values() if isinstance(one, logging.Logger))]
    before = {one: (one.level, one.disabled) for one in loggers}
    root.addHandler(handler)
    for one in loggers:
        one.disabled = False
        one.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.removeHandler(handler)
        for one, (level, disabled) in before.items():
            one.setLevel(level)
            one.disabled = disabled
