"""Which new traces are recorded: a share of them, and never more than so many a second.

A span costs a hundred times what a request without one does: made, encoded and sent, some 200 microseconds. The share
alone would let a busy process spend a tenth of its time on traces that nobody looks at.
"""

import random
import time
from collections.abc import Callable, Sequence
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState


class Share(Sampler):
    """``ratio`` of the new traces, at most ``per_s`` a second (a token bucket that holds one second's).

    What came from outside has decided already, and does not count."""

    def __init__(self, ratio: float, per_s: float, now: Callable[[], float] = time.monotonic) -> None:
        self._ratio, self._per_s, self._now = ratio, per_s, now
        self._left, self._at = per_s, now()

    def drawn(self) -> bool:
        """Whether the trace that begins now is recorded."""
        if random.random() >= self._ratio:
            return False
        now = self._now()
        self._left = min(self._per_s, self._left + (now - self._at) * self._per_s)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Any = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """See ``Sampler``: for traces that begin with a span of the SDK."""
        return SamplingResult(Decision.RECORD_AND_SAMPLE if self.drawn() else Decision.DROP, attributes)

    def get_description(self) -> str:
        """See ``Sampler``."""
        return f"Share({self._ratio}, {self._per_s}/s)"
