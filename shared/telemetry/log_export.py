"""Logs over OTLP: what stderr gets, as records that a back end can search (https://opentelemetry.io/docs/specs/otel/logs/data-model/)."""

import logging
from typing import Any

import msgspec
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.trace import get_current_span, set_span_in_context

from shared.telemetry.logs import told

_SEVERITY = {
    "DEBUG": SeverityNumber.DEBUG,
    "INFO": SeverityNumber.INFO,
    "WARNING": SeverityNumber.WARN,
    "ERROR": SeverityNumber.ERROR,
    "CRITICAL": SeverityNumber.FATAL,
}
_APART = frozenset({"time", "level", "service", "text", "trace_id", "span_id"})
"""What the record itself or its resource says."""
_THEIRS = ("opentelemetry", "urllib3", "requests")
"""Their complaints of a collector that is gone would go to that collector."""

_encoder = msgspec.json.Encoder(enc_hook=lambda value: type(value).__name__)


class LogExport(logging.Handler):
    """Hands every record on that the loggers let through."""

    def __init__(self, provider: LoggerProvider, service: str) -> None:
        super().__init__()
        self._logger, self._service = provider.get_logger("consilium"), service

    def emit(self, record: logging.LogRecord) -> None:
        """See ``logging.Handler``."""
        if record.name.partition(".")[0] in _THEIRS:
            return
        line = told(record, self._service)
        self._logger.emit(
            LogRecord(
                timestamp=int(record.created * 1e9),
                observed_timestamp=int(record.created * 1e9),
                context=set_span_in_context(get_current_span()),
                severity_text=record.levelname,
                severity_number=_SEVERITY.get(record.levelname, SeverityNumber.UNSPECIFIED),
                body=line["text"],
                attributes={name: _flat(value) for name, value in line.items() if name not in _APART},
            )
        )


def _flat(value: Any) -> str | bool | int | float:
    return value if isinstance(value, str | bool | int | float) else _encoder.encode(value).decode()
