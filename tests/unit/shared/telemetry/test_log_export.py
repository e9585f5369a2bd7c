"""Logs over OTLP: the same content as on stderr, nothing that stderr would not have."""

import json
import logging
from collections.abc import Iterator

import pytest
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter

from shared.telemetry.logs import JsonFormatter
from shared.telemetry.propagation import current_traceparent, working
from shared.telemetry.settings import TelemetrySettings
from shared.telemetry.setup import Telemetry, start

CANARY = "Zaphod-1952-03-11"


@pytest.fixture
def kept() -> Iterator[InMemoryLogRecordExporter]:
    exporter = InMemoryLogRecordExporter()
    telemetry: Telemetry = start("test", TelemetrySettings(), log_exporter=exporter)
    yield exporter
    telemetry.shutdown()
    start("test", TelemetrySettings())


def test_a_record_has_its_text_its_figures_and_its_trace(kept: InMemoryLogRecordExporter) -> None:
    with working("test"):
        logging.getLogger("shared.x").error("Broke.", extra={"count": 3, "queues": ["a", "b"]})
        traceparent = current_traceparent()
    (log,) = kept.get_finished_logs()
    record = log.log_record
    assert (record.body, record.severity_text) == ("Broke.", "ERROR")
    assert record.attributes == {"logger": "shared.x", "count": 3, "queues": '["a","b"]'}
    assert traceparent == f"00-{record.trace_id:032x}-{record.span_id:016x}-00"


def test_it_says_no_more_than_stderr(kept: InMemoryLogRecordExporter) -> None:
    records: list[logging.LogRecord] = []
    listening = logging.Handler()
    listening.emit = records.append  # type: ignore[method-assign]  # a handler for one test
    logging.getLogger().addHandler(listening)
    try:
        logging.getLogger("some.library").warning("said %s to %d", CANARY, 4)
        try:
            raise ValueError(CANARY)
        except ValueError:
            logging.getLogger("shared.x").exception("Failed.")
    finally:
        logging.getLogger().removeHandler(listening)
    for log, record in zip(kept.get_finished_logs(), records, strict=True):
        line = json.loads(JsonFormatter("test").format(record))
        assert CANARY not in log.to_json()
        assert log.log_record.body == line["text"]
        for name, value in (log.log_record.attributes or {}).items():
            assert value == line[name] or json.loads(str(value)) == line[name]


def test_what_the_exporter_complains_of_does_not_go_to_the_exporter(kept: InMemoryLogRecordExporter) -> None:
    logging.getLogger("opentelemetry.exporter").error("Failed to export.")
    assert not kept.get_finished_logs()


def test_the_end_takes_the_handler_away() -> None:
    before = list(logging.getLogger().handlers)
    start("test", TelemetrySettings(), log_exporter=InMemoryLogRecordExporter()).shutdown()
    assert logging.getLogger().handlers == before
    start("test", TelemetrySettings())


def test_a_setting_keeps_logs_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    telemetry = start("test", TelemetrySettings(log_export=False))
    assert len(telemetry.exporters) == 2
    telemetry.shutdown(within_s=0.1)
    start("test", TelemetrySettings())
