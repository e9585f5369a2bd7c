"""What a primary wrote when: how old a replica is at most, and whether it holds what a failover has undone.

No clock of another machine is needed for it, nor the right to see more than anybody may.
"""

import math
from collections import deque

_AT_LEAST = 256
"""Positions, so that a replica's age is known beyond the bound, too."""


class Trail:
    """The primary's positions in its log, each with the moment (monotonic) before which it was asked for it."""

    def __init__(self, *, reach_s: float, every_s: float) -> None:
        """A position is added every ``every_s``, at most; ages up to ``reach_s`` are told apart."""
        self._positions: deque[tuple[float, int]] = deque(maxlen=max(_AT_LEAST, math.ceil(reach_s / every_s) + 2))
        self._timeline: int | None = None
        self._undone: int | None = None
        """How far the replica had come when it was ahead of the primary."""

    def add(self, moment: float, written: int, timeline: int) -> bool:
        """The primary had written as far as ``written`` when it was asked after ``moment``; whether it is a new one.

        After a failover a position means something else: what is known of the replica is not true any more."""
        turned = timeline != self._timeline
        if turned:
            self._timeline = timeline
            self._positions.clear()
        self._positions.append((moment, written))
        return turned

    def as_of(self, replayed: int) -> float:
        """Before which moment all that was committed is in what was replayed as far as ``replayed``; -inf: unknown."""
        return next((moment for moment, written in reversed(self._positions) if written <= replayed), float("-inf"))

    def undone(self, received: int, timeline: int, written: int) -> bool:
        """Whether a replica that received as far as ``received`` holds what no primary wrote that is at ``written``.

        One that was ahead once does so when the primary has passed it, too: until it receives more, which it cannot
        from this primary, or was made anew, on the primary's ``timeline``."""
        if received > written:
            self._undone = received
        elif self._undone is not None and (received > self._undone or timeline == self._timeline):
            self._undone = None
        return self._undone is not None
