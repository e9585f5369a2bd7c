"""One server span and one duration per request, named by the route's template: never an id, a query or a body.

Pure ASGI. A request that is not sampled costs a few microseconds: its span context is drawn here and no span is made.
"""

import asyncio
import logging
import random
from collections.abc import Iterable
from time import perf_counter, time_ns

from opentelemetry import context as otel
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, StatusCode, TraceFlags
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.telemetry.fhir_template import fhir_template
from shared.telemetry.propagation import parse
from shared.telemetry.sampling import Share
from shared.telemetry.setup import Telemetry

ROUTE = "consilium.route"
"""A handler that dispatches by itself puts its template here: ``scope[ROUTE] = "/fhir/{type}/{id}"``."""
UNMATCHED = "unmatched"

PROBES = frozenset({"/health/live", "/health/ready"})
"""Their failures are answers, not news."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_UNSAMPLED = TraceFlags(TraceFlags.DEFAULT)
_EMPTY = Context()
_logger = logging.getLogger(__name__)


class HttpTelemetry:
    """Middleware. ``mounts`` are the static prefixes of mounted apps that may be part of a template.

    The FHIR engine and the gateway dispatch without a router; their paths are named by their shape.
    """

    def __init__(
        self,
        app: ASGIApp,
        telemetry: Telemetry,
        *,
        mounts: Iterable[str] = ("/fhir", "/api"),
        slow_s: float = 2.0,
    ) -> None:
        self._app, self._telemetry = app, telemetry
        self._mounts, self._slow_s = frozenset(mounts), slow_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        status, answered = 0, 0.0

        async def noting(message: Message) -> None:
            nonlocal status, answered
            if message["type"] == "http.response.start":
                status, answered = message["status"], perf_counter()
            await send(message)

        span = self._span(scope)
        active = None if self._telemetry.durations is None else self._telemetry.durations.active
        if active is not None:
            active.now += 1
        token = otel.attach(trace.set_span_in_context(span, _EMPTY))
        try:
            await self._app(scope, receive, noting)
        except asyncio.CancelledError:
            status = status or 499  # the client went away
            raise
        except BaseException:
            status = status or 500
            raise
        finally:
            # until the head of the answer: a stream of events stays open for hours
            seconds = (answered or perf_counter()) - started
            if active is not None:
                active.now -= 1
            self._finish(scope, span, status or 500, seconds)
            otel.detach(token)

    def _span(self, scope: Scope) -> Span:
        parent = _incoming(scope)
        share = self._telemetry.share
        if share is not None and _wanted(share, parent):
            return self._recorded(scope, parent)
        trace_id = parent.trace_id if parent else random.getrandbits(128) or 1
        return NonRecordingSpan(SpanContext(trace_id, random.getrandbits(64) or 1, False, _UNSAMPLED))

    def _finish(self, scope: Scope, span: Span, status: int, seconds: float) -> None:
        durations = self._telemetry.durations
        # probes come every few seconds: whoever asks them hears what is wrong
        noteworthy = (status >= 500 or seconds > self._slow_s) and scope["path"] not in PROBES
        if durations is None and not noteworthy and not span.is_recording():
            return
        method, route = _method(scope), self._route(scope)
        if noteworthy:
            if not span.is_recording() and self._telemetry.share is not None:
                span = self._after_the_fact(scope, span, seconds)
            _logger.log(
                logging.ERROR if status >= 500 else logging.WARNING,
                "A request failed." if status >= 500 else "A request was slow.",
                extra={"method": method, "route": route, "status": status, "ms": round(seconds * 1000, 1)},
            )
        recording = span.is_recording()
        if durations is not None:
            durations.add(seconds, method, route, status, trace=span.get_span_context() if recording else None)
        if recording:
            span.update_name(f"{method} {route}")
            span.set_attribute("http.route", route)
            span.set_attribute("http.response.status_code", status)
            if status >= 500:
                span.set_attribute("error.type", str(status))
                span.set_status(StatusCode.ERROR)
            span.end()

    def _after_the_fact(self, scope: Scope, span: Span, seconds: float) -> Span:
        """The recorded span of a request that was not sampled: what failed or was slow can always be found."""
        parent, ids = _incoming(scope), self._telemetry.edge_ids
        ids.chosen = span.get_span_context()
        try:
            return self._recorded(scope, parent, time_ns() - int(seconds * 1e9))
        finally:
            ids.chosen = None

    def _recorded(self, scope: Scope, parent: SpanContext | None, start_ns: int | None = None) -> Span:
        within = trace.set_span_in_context(NonRecordingSpan(parent), _EMPTY) if parent else _EMPTY
        return self._telemetry.edge.start_span(
            _method(scope),
            within,
            SpanKind.SERVER,
            attributes={"http.request.method": _method(scope), "url.scheme": scope.get("scheme", "http")},
            start_time=start_ns,
        )

    def _route(self, scope: Scope) -> str:
        told = scope.get(ROUTE)
        if isinstance(told, str):
            return told
        included = scope.get("fastapi", {}).get("effective_route_context")
        route = included or scope.get("route")
        path = getattr(route, "path_format", None)
        if not isinstance(path, str):
            return fhir_template(scope["path"]) or UNMATCHED
        prefix = scope.get("root_path", "")
        return prefix + path if prefix in self._mounts else path


def _method(scope: Scope) -> str:
    method: str = scope["method"]
    return method if method in _METHODS else "_OTHER"


def _wanted(share: Share, parent: SpanContext | None) -> bool:
    if parent is None:
        return share.drawn()
    return parent.trace_flags.sampled and share.granted()


def _incoming(scope: Scope) -> SpanContext | None:
    for name, value in scope["headers"]:
        if name == b"traceparent":
            return parse(value.decode("latin-1"))
    return None
