"""What is observed: ``CONSILIUM_TRACE_RATIO``, ``CONSILIUM_LOG_LEVEL``; where it goes: ``OTEL_EXPORTER_OTLP_*``."""

from typing import Literal

from pydantic import Field

from shared.settings import ConsiliumSettings


class TelemetrySettings(ConsiliumSettings):
    """Traces, metrics and logs leave the process only when ``OTEL_EXPORTER_OTLP_ENDPOINT`` is set."""

    trace_ratio: float = Field(default=0.05, ge=0, le=1)
    """The share of new traces that is recorded; a trace that began elsewhere keeps the decision made there."""
    trace_per_s: float = Field(default=50.0, ge=1)
    """The most new traces per second that a process records, whatever the share: at 5 %, those of 1,000 requests.
    Of those that began elsewhere, ten times as many."""
    metric_interval_s: float = Field(default=30.0, gt=0)
    """Seconds between two exports of metrics."""
    slow_request_s: float = Field(default=2.0, gt=0)
    """Requests that answer later than this are logged."""
    log_export: bool = True
    """Logs go to the OTLP endpoint, too; stderr has them in any case."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "WARNING"
    """Records below it are not logged."""
