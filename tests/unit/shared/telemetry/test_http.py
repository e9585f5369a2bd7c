"""One span and one duration per request, by route template."""

import json
import logging
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from shared.problem import LastResort
from shared.telemetry.http import ROUTE, HttpTelemetry
from shared.telemetry.metrics import MessagingGauges
from shared.telemetry.propagation import consuming, current_traceparent, parse
from shared.telemetry.settings import TelemetrySettings
from shared.telemetry.setup import Telemetry, start
from tests.factories.observed import MetricsKept, every_log_line

CANARY = "Zaphod-1952-03-11"
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@dataclass
class Observed:
    telemetry: Telemetry
    spans: InMemorySpanExporter
    metrics: MetricsKept
    client: httpx.AsyncClient
    seen: list[str | None] = field(default_factory=list)


def application(telemetry: Telemetry, seen: list[str | None]) -> FastAPI:
    router = APIRouter(prefix="/referrals")

    @router.get("/{id}")
    async def referral(id: str) -> str:
        seen.append(current_traceparent())
        return id

    @router.get("/{id}/broken")
    async def broken(id: str) -> None:
        raise RuntimeError(id)

    async def read(request: Request) -> PlainTextResponse:
        return PlainTextResponse("x")

    async def dispatched(request: Request) -> PlainTextResponse:
        request.scope[ROUTE] = "/fhir/{type}/{id}/_history"
        return PlainTextResponse("x")

    app = FastAPI()
    app.mount("/fhir", Mount("", routes=[Route("/{type}/{id}", read), Route("/{path:path}", dispatched)]))
    app.include_router(router, prefix="/api")
    app.router.add_route("/health/ready", lambda request: PlainTextResponse("x", 503))
    app.add_middleware(LastResort)
    app.add_middleware(HttpTelemetry, telemetry=telemetry)
    return app


@pytest.fixture
async def observed() -> AsyncIterator[Observed]:
    spans, metrics = InMemorySpanExporter(), MetricsKept()
    telemetry = start("test", TelemetrySettings(trace_ratio=1), span_exporter=spans, metric_exporter=metrics)
    seen: list[str | None] = []
    app = application(telemetry, seen)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield Observed(telemetry, spans, metrics, client, seen)
    telemetry.shutdown()
    start("test", TelemetrySettings())


@pytest.mark.parametrize(
    ("method", "path", "name", "status"),
    [
        ("GET", f"/api/referrals/{CANARY}?name={CANARY}", "GET /api/referrals/{id}", 200),
        ("GET", f"/fhir/Task/{CANARY}", "GET /fhir/{type}/{id}", 200),
        ("GET", f"/fhir/Task/{CANARY}/_history", "GET /fhir/{type}/{id}/_history", 200),
        ("GET", f"/{CANARY}", "GET unmatched", 404),
        ("POST", f"/api/referrals/{CANARY}", "POST /api/referrals/{id}", 405),
        (CANARY, f"/{CANARY}", "_OTHER unmatched", 404),
        ("GET", f"/api/referrals/{CANARY}/broken", "GET /api/referrals/{id}/broken", 500),
    ],
)
async def test_a_span_is_named_by_the_template(
    observed: Observed, method: str, path: str, name: str, status: int
) -> None:
    await observed.client.request(method, path, headers={"user-agent": CANARY, "x-note": CANARY})
    (span,) = observed.spans.get_finished_spans()
    assert (span.name, span.kind) == (name, SpanKind.SERVER)
    assert span.attributes is not None
    assert span.attributes["http.response.status_code"] == status
    assert span.status.status_code is (StatusCode.ERROR if status >= 500 else StatusCode.UNSET)
    assert CANARY not in span.to_json()


async def test_a_request_belongs_to_the_trace_that_its_caller_began(observed: Observed) -> None:
    await observed.client.get("/api/referrals/1", headers={"traceparent": PARENT})
    (span,) = observed.spans.get_finished_spans()
    assert span.context is not None
    assert span.parent is not None
    assert (f"{span.context.trace_id:032x}", f"{span.parent.span_id:016x}") == tuple(PARENT.split("-")[1:3])
    assert observed.seen == [f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}-01"]


async def test_a_consumer_goes_on_with_the_trace_of_the_write(observed: Observed) -> None:
    await observed.client.get("/api/referrals/1")
    with consuming(observed.seen[0], "careplans.referrals process", {"messaging.operation.name": "process"}):
        pass
    server, consumer = observed.spans.get_finished_spans()
    assert consumer.parent is not None
    assert server.context is not None
    assert consumer.parent.trace_id == server.context.trace_id
    assert consumer.parent.span_id == server.context.span_id
    assert consumer.kind is SpanKind.CONSUMER


async def test_a_failing_consumer_marks_its_span_without_the_text(observed: Observed) -> None:
    with pytest.raises(ValueError, match=CANARY), consuming(PARENT, "careplans.referrals process"):
        raise ValueError(CANARY)
    (span,) = observed.spans.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes == {"error.type": "ValueError"}
    assert CANARY not in span.to_json()


async def test_a_caller_that_does_not_sample_is_followed_too(observed: Observed) -> None:
    await observed.client.get("/api/referrals/1", headers={"traceparent": PARENT[:-1] + "0"})
    assert observed.spans.get_finished_spans() == ()
    (seen,) = observed.seen
    assert seen is not None
    assert seen.startswith(PARENT[:35])
    assert seen.endswith("-00")


async def test_durations_are_counted_by_method_route_and_status(observed: Observed) -> None:
    for path in ("/fhir/Task/1", "/fhir/Task/2", f"/{CANARY}"):
        await observed.client.get(path)
    observed.telemetry.flush()
    points = observed.metrics.points["http.server.request.duration"]
    counted = {tuple(point.attributes.values()): point.count for point in points}
    assert counted == {("GET", "/fhir/{type}/{id}", 200): 2, ("GET", "unmatched", 404): 1}
    assert all(sum(point.bucket_counts) == point.count and point.min <= point.max for point in points)


async def test_gauges_tell_the_last_reading(observed: Observed) -> None:
    gauges = MessagingGauges(observed.telemetry)
    gauges.outbox_depth.set("referrals", 7)
    gauges.outbox_depth.set("referrals", 5)
    gauges.outbox_depth.set("careplans", 1)
    observed.telemetry.flush()
    points = observed.metrics.points["consilium.outbox.depth"]
    assert {point.attributes["service"]: point.value for point in points} == {"referrals": 5, "careplans": 1}


async def test_without_exporters_nothing_is_recorded_and_ids_still_travel() -> None:
    telemetry = start("test", TelemetrySettings(trace_ratio=1))
    seen: list[str | None] = []
    app = application(telemetry, seen)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        await client.get("/api/referrals/1")
    assert telemetry.durations is None
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", seen[0] or "")


async def test_failures_are_logged_by_template(observed: Observed, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "shared"):
        await observed.client.get(f"/api/referrals/{CANARY}")
        await observed.client.get(f"/api/referrals/{CANARY}/broken")
        assert (await observed.client.get("/health/ready")).status_code == 503, "a probe's answer is no news"
    failures = [record for record in caplog.records if record.name == "shared.telemetry.http"]
    assert [(vars(record)["route"], vars(record)["status"]) for record in failures] == [
        ("/api/referrals/{id}/broken", 500)
    ]


async def rarely(
    spans: InMemorySpanExporter, metrics: MetricsKept, path: str, *, slow_s: float, **headers: str
) -> None:
    """One request to a process that samples almost nothing."""
    telemetry = start("test", TelemetrySettings(trace_ratio=1e-12), span_exporter=spans, metric_exporter=metrics)
    app = HttpTelemetry(application_without_telemetry(), telemetry, slow_s=slow_s)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        await client.get(path, headers=headers)
    telemetry.shutdown()
    start("test", TelemetrySettings())


def application_without_telemetry() -> LastResort:
    async def answer(request: Request) -> PlainTextResponse:
        if request.path_params["id"] == "broken":
            raise RuntimeError(CANARY)
        return PlainTextResponse(current_traceparent() or "")

    return LastResort(Mount("", routes=[Route("/fhir/{type}/{id}", answer)]))


@pytest.mark.parametrize(
    ("path", "slow_s", "recorded"),
    [("/fhir/Task/1", 60.0, False), ("/fhir/Task/1", 0.0, True), ("/fhir/Task/broken", 60.0, True)],
)
async def test_what_failed_or_was_slow_is_recorded_though_it_was_not_sampled(
    caplog: pytest.LogCaptureFixture, path: str, slow_s: float, recorded: bool
) -> None:
    spans, metrics = InMemorySpanExporter(), MetricsKept()
    await rarely(spans, metrics, path, slow_s=slow_s)
    found = spans.get_finished_spans()
    (point,) = metrics.points["http.server.request.duration"]
    assert (len(found), len(point.exemplars)) == ((1, 1) if recorded else (0, 0))
    for span, exemplar in zip(found, point.exemplars, strict=True):
        assert span.name == "GET /fhir/{type}/{id}"
        assert span.context is not None
        assert (span.context.trace_id, span.context.span_id) == (exemplar.trace_id, exemplar.span_id)
        assert span.start_time is not None
        assert span.end_time is not None
        assert 0 <= (span.end_time - span.start_time) / 1e9 - point.sum < 0.1


async def test_a_span_made_after_the_fact_belongs_to_the_trace_of_its_caller() -> None:
    spans = InMemorySpanExporter()
    await rarely(spans, MetricsKept(), "/fhir/Task/broken", slow_s=60, traceparent=PARENT[:-1] + "0")
    (span,) = spans.get_finished_spans()
    assert span.context is not None
    assert span.parent is not None
    assert (f"{span.context.trace_id:032x}", f"{span.parent.span_id:016x}") == tuple(PARENT.split("-")[1:3])


async def test_the_log_line_of_a_slow_request_names_its_trace() -> None:
    lines: list[str] = []
    spans = InMemorySpanExporter()
    with every_log_line(lines):
        await rarely(spans, MetricsKept(), "/fhir/Task/1", slow_s=0)
    (line,) = (told for text in lines if (told := json.loads(text))["text"] == "A request was slow.")
    (span,) = spans.get_finished_spans()
    assert span.context is not None
    assert (line["trace_id"], line["span_id"]) == (f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}")
    assert line["route"] == "/fhir/{type}/{id}"


async def test_open_requests_are_counted_while_they_are_open(observed: Observed) -> None:
    assert observed.telemetry.durations is not None
    active = observed.telemetry.durations.active
    active.now += 1
    await observed.client.get("/fhir/Task/1")
    observed.telemetry.flush()
    (point,) = observed.metrics.points["http.server.active_requests"]
    assert point.value == 1


@pytest.mark.parametrize(
    "traceparent",
    [
        None,
        "",
        "garbage",
        PARENT.upper(),
        "ff" + PARENT[2:],
        PARENT + "\n",
        "00-" + "0" * 32 + "-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-" + "0" * 16 + "-01",
    ],
)
def test_a_malformed_traceparent_is_none(traceparent: str | None) -> None:
    assert parse(traceparent) is None
