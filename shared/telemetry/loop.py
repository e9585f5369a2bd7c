"""The event loop's lag: how late it comes to a timer tells how long a handler would have waited for its turn."""

import asyncio

from shared.telemetry.instruments import Timings

EVERY_S = 0.25


class LoopWatch:
    """Puts the lag of the running loop into ``lag``, four times a second, until ``stop``."""

    def __init__(self, lag: Timings) -> None:
        self._lag = lag
        self._loop = asyncio.get_running_loop()
        self._due = self._loop.time() + EVERY_S
        self._timer = self._loop.call_at(self._due, self._tick)

    def stop(self) -> None:
        """No more; may be called from another thread."""
        self._timer.cancel()
        self._due = float("inf")

    def _tick(self) -> None:
        if self._due == float("inf"):
            return
        now = self._loop.time()
        self._lag.add(max(0.0, now - self._due))
        self._due = now + EVERY_S
        self._timer = self._loop.call_at(self._due, self._tick)
