"""An exporter of metrics that adds what our own instruments hold to what the SDK collected."""

from collections.abc import Callable
from typing import Any

from opentelemetry.sdk.metrics.export import (
    Metric,
    MetricExporter,
    MetricExportResult,
    MetricsData,
    ResourceMetrics,
    ScopeMetrics,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

_scope = InstrumentationScope("consilium")


class OwnInstruments(MetricExporter):
    """``inner`` with the metrics that ``collect`` gives."""

    def __init__(self, inner: MetricExporter, collect: Callable[[], list[Metric]], resource: Resource) -> None:
        super().__init__()
        self._inner, self._collect, self._resource = inner, collect, resource

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:
        """Hands both on."""
        metrics = self._collect()
        if metrics:
            own = ResourceMetrics(self._resource, [ScopeMetrics(_scope, metrics, "")], "")
            metrics_data = MetricsData([*metrics_data.resource_metrics, own])
        return self._inner.export(metrics_data, timeout_millis=timeout_millis, **kwargs)

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """See ``MetricExporter``."""
        return self._inner.force_flush(timeout_millis)

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """See ``MetricExporter``."""
        self._inner.shutdown(timeout_millis, **kwargs)
