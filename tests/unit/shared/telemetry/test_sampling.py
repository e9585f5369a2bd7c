"""Which traces are recorded."""

from dataclasses import replace

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.responses import PlainTextResponse

from shared.telemetry.http import HttpTelemetry
from shared.telemetry.sampling import WISHES, Share
from shared.telemetry.settings import TelemetrySettings
from shared.telemetry.setup import start


@given(st.lists(st.floats(0, 0.5), max_size=300), st.integers(1, 40))
def test_never_more_than_so_many_a_second(pauses: list[float], per_s: int) -> None:
    clock = [0.0]
    share, taken = Share(1, per_s, lambda: clock[0]), list[float]()
    for pause in pauses:
        clock[0] += pause
        if share.drawn():
            taken.append(clock[0])
    for beginning in taken:
        within = [moment for moment in taken if beginning <= moment <= beginning + 1]
        assert len(within) <= 2 * per_s, "what one second saved, and what another brings"
    assert len(taken) <= per_s * (clock[0] + 1) + 1e-6


def test_the_share_is_kept_below_that() -> None:
    share = Share(0.05, 1e9)
    drawn = sum(share.drawn() for _ in range(20_000))
    assert 700 < drawn < 1300


def test_traces_that_began_elsewhere_have_a_bound_of_their_own() -> None:
    clock = [0.0]
    share = Share(0, 3, lambda: clock[0])
    assert sum(share.granted() for _ in range(100)) == 3 * WISHES, "whatever the share of new traces"
    assert not share.granted()
    clock[0] += 0.1
    assert sum(share.granted() for _ in range(100)) == 3


@pytest.mark.parametrize(("parent", "recorded"), [(None, 3), ("01", 30), ("00", 0)])
async def test_nobody_has_every_request_recorded(parent: str | None, recorded: int) -> None:
    spans = InMemorySpanExporter()
    telemetry = start("test", TelemetrySettings(trace_ratio=1), span_exporter=spans)
    headers = {"traceparent": f"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{parent}"} if parent else {}
    app = HttpTelemetry(PlainTextResponse("x"), replace(telemetry, share=Share(1, 3, lambda: 0.0)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", headers=headers) as client:
        for _ in range(50):
            await client.get("/fhir/Task/1")
    telemetry.shutdown()
    start("test", TelemetrySettings())
    assert len(spans.get_finished_spans()) == recorded


def test_work_that_begins_a_trace_counts_too() -> None:
    spans = InMemorySpanExporter()
    settings = TelemetrySettings(trace_ratio=1, trace_per_s=1)
    telemetry = start("test", settings, span_exporter=spans)
    for _ in range(100):
        with telemetry.tracer.start_as_current_span("work"), telemetry.tracer.start_as_current_span("part of it"):
            pass
    telemetry.shutdown()
    start("test", TelemetrySettings())
    assert 2 <= len(spans.get_finished_spans()) < 100
