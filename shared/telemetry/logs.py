"""One line of JSON per log record on stderr, with trace and span id, without PHI.

Our own loggers write constant texts and put figures into ``extra``. Foreign loggers interpolate what they like, so of
their records only the template's first line, numbers and class names are kept.
"""

import logging
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import msgspec
from opentelemetry import trace

from shared.telemetry.failures import class_of, described
from shared.telemetry.levels import heed_wishes
from shared.telemetry.settings import TelemetrySettings

OURS = ("shared", "services", "consilium", "tests")
QUIET = ("uvicorn.access", "granian.access", "httpx", "httpcore", "aio_pika", "aiormq", "asyncio", "urllib3", "mail")
"""Loggers that tell of every request, URL or message below WARNING."""

_standard = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
_encoder = msgspec.json.Encoder(enc_hook=lambda value: type(value).__name__)


class JsonFormatter(logging.Formatter):
    """A record as JSON."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        return _encoder.encode(told(record, self._service)).decode()


def told(record: logging.LogRecord, service: str) -> dict[str, Any]:
    """What may leave the process of ``record``: names, texts and figures of ours, and the trace it belongs to."""
    ours = record.name.partition(".")[0] in OURS
    line: dict[str, Any] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname,
        "service": service,
        "logger": record.name,
        "text": record.getMessage() if ours else _foreign_text(record),
    }
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        line["trace_id"] = format(context.trace_id, "032x")
        line["span_id"] = format(context.span_id, "016x")
    if ours:
        line.update((name, value) for name, value in vars(record).items() if name not in _standard)
    if record.exc_info and record.exc_info[1] is not None:
        line["error"] = described(record.exc_info[1])
    return line


def _foreign_text(record: logging.LogRecord) -> str:
    template = str(record.msg).partition("\n")[0]
    if record.levelno < logging.WARNING and record.name.partition(".")[0] in QUIET:
        # somebody asked for DEBUG of this one: httpcore's templates are whole answers, headers and all
        template = template.partition(" ")[0]
    arguments = record.args if isinstance(record.args, tuple) else ()
    kept = [_harmless(argument) for argument in arguments]
    return " ".join([template, *(text for text in kept if text)])


def _harmless(argument: object) -> str | None:
    if isinstance(argument, BaseException):
        return class_of(argument)
    return str(argument) if isinstance(argument, int | float) else None


def configure_logs(service: str, settings: TelemetrySettings | None = None) -> None:
    """Sends all logs of this process to stderr as JSON, from the settings' level on, and turns access logs off.

    Before ``setup.start``, which adds the handler that sends them to the collector."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel((settings or TelemetrySettings()).log_level)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)
    heed_wishes()
    sys.excepthook = _uncaught
    threading.excepthook = lambda args: _uncaught(args.exc_type, args.exc_value, args.exc_traceback)


def server_log_config(service: str) -> dict[str, Any]:
    """``log_dictconfig`` for granian: its own few lines through our formatter, no access log."""
    ours = {"handlers": ["stderr"], "level": "WARNING", "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonFormatter, "service": service}},
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stderr"},
        },
        "loggers": {"_granian": ours, "granian.access": {**ours, "handlers": []}},
    }


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    record = (kind, error or kind(), trace)
    logging.getLogger("consilium").critical("The process failed.", exc_info=record)
