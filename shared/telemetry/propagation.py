"""The W3C trace context as it travels in HTTP headers and in events (https://www.w3.org/TR/trace-context/).

``tracestate`` and baggage are dropped: they carry what others put in.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, StatusCode, TraceFlags
from opentelemetry.util.types import AttributeValue

from shared.telemetry.failures import class_of
from shared.telemetry.setup import current

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_EMPTY = Context()


def parse(traceparent: str | None) -> SpanContext | None:
    """The span context that ``traceparent`` names; None when there is none or it is malformed."""
    match = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    if match is None:
        return None
    trace_id, span_id, flags = match.groups()
    context = SpanContext(
        int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16) & 1)
    )
    return context if context.is_valid else None


def current_traceparent() -> str | None:
    """The context of the work at hand, for an event's envelope or an outgoing request; None outside of any."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags & 1:02x}"


def remote(traceparent: str | None) -> Context:
    """A context whose current span is the one that ``traceparent`` names."""
    context = parse(traceparent)
    return trace.set_span_in_context(NonRecordingSpan(context), _EMPTY) if context else _EMPTY


@contextmanager
def consuming(
    traceparent: str | None, name: str, attributes: Mapping[str, AttributeValue] | None = None
) -> Iterator[Span]:
    """A consumer's span in the trace of the write that caused the message. ``name``: ``careplans.referrals process``.

    Names and attributes are ours (queue, event type), never ids. An exception marks the span with its class only.
    """
    with _spanning(name, SpanKind.CONSUMER, remote(traceparent), attributes) as span:
        yield span


@contextmanager
def working(name: str, attributes: Mapping[str, AttributeValue] | None = None) -> Iterator[Span]:
    """A span inside the work at hand, or the root of background work."""
    with _spanning(name, SpanKind.INTERNAL, None, attributes) as span:
        yield span


@contextmanager
def _spanning(
    name: str, kind: SpanKind, parent: Context | None, attributes: Mapping[str, AttributeValue] | None
) -> Iterator[Span]:
    # The SDK's own recording of exceptions would put their texts into the span.
    with current().tracer.start_as_current_span(
        name, parent, kind=kind, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield span
        except BaseException as error:
            span.set_attribute("error.type", class_of(error))
            span.set_status(StatusCode.ERROR)
            raise
