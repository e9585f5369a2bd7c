"""Exporters: where they are told to go, and what a missing collector costs."""

import socket
import time

import pytest

from shared.telemetry.propagation import working
from shared.telemetry.settings import TelemetrySettings
from shared.telemetry.setup import start


@pytest.fixture
def nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")


def test_without_an_endpoint_there_is_no_exporter() -> None:
    telemetry = start("test", TelemetrySettings(trace_ratio=1))
    assert (telemetry.exporters, telemetry.share) == ((), None)


@pytest.mark.usefixtures("nobody_listens")
def test_a_collector_that_is_gone_does_not_hold_up_the_end() -> None:
    telemetry = start("test", TelemetrySettings(trace_ratio=1))
    assert len(telemetry.exporters) == 3
    with working("test"):
        pass
    began = time.monotonic()
    telemetry.shutdown(within_s=0.3)
    assert time.monotonic() - began < 2
    start("test", TelemetrySettings())
