"""Which traces are recorded: a share of the new ones, and never more than so many a second, whoever asks for it.

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

WISHES = 10
"""Traces that began elsewhere may be so many times as many as new ones: our gateway's, and those of systems that trace.
Without a bound anybody could have every request recorded, by a header that needs no token."""


class Bucket:
    """At most ``per_s`` a second: a token bucket that holds one second's."""

    def __init__(self, per_s: float, now: Callable[[], float]) -> None:
        self._per_s, self._now = per_s, now
        self._left, self._at = per_s, now()

    def take(self) -> bool:
        """Whether there is room for one more now."""
        now = self._now()
        self._left = min(self._per_s, self._left + (now - self._at) * self._per_s)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Share(Sampler):
    """``ratio`` of the new traces, at most ``per_s`` a second, and ``WISHES`` times as many that began elsewhere."""

    def __init__(self, ratio: float, per_s: float, now: Callable[[], float] = time.monotonic) -> None:
        self._ratio, self._per_s = ratio, per_s
        self._new, self._wished = Bucket(per_s, now), Bucket(per_s * WISHES, now)

    def drawn(self) -> bool:
        """Whether the trace that begins now is recorded."""
        return random.random() < self._ratio and self._new.take()

    def granted(self) -> bool:
        """Whether a trace that is recorded where it began is recorded here, too."""
        return self._wished.take()

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
