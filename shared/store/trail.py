"""What a primary wrote when, and so how old what a replica holds is at most, without the clock of any other machine."""

import math
from collections import deque

_AT_LEAST = 256
"""Positions, so that a replica's age is known beyond the bound, too."""


class Trail:
    """The primary's positions in its log, each with the moment (monotonic) before which it was asked for it."""

    def __init__(self, *, reach_s: float, every_s: float) -> None:
        """A position is added every ``every_s``, at most; ages up to ``reach_s`` are told apart."""
        self._positions: deque[tuple[float, int]] = deque(maxlen=max(_AT_LEAST, math.ceil(reach_s / every_s) + 2))

    def add(self, moment: float, written: int) -> None:
        """The primary had written as far as ``written`` when it was asked after ``moment``."""
        self._positions.append((moment, written))

    def as_of(self, replayed: int) -> float:
        """Before which moment all that was committed is in what was replayed as far as ``replayed``; -inf: unknown."""
        return next((moment for moment, written in reversed(self._positions) if written <= replayed), float("-inf"))
