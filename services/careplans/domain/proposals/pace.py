"""When an order is sent again: delays as data. It is not given up: somebody waits for that visit."""

from collections.abc import Sequence
from datetime import datetime, timedelta

DELAYS: Sequence[timedelta] = tuple(timedelta(seconds=seconds) for seconds in (1, 5, 30, 60, 120))
"""After each failed attempt; the last holds for all that follow."""


def again(failures: int, now: datetime, delays: Sequence[timedelta] = DELAYS) -> datetime:
    """When to try again after ``failures`` in a row (from 1 on)."""
    return now + delays[min(failures, len(delays)) - 1]
