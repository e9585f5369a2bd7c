"""The in-app stream: one reader per process, fanned out to the clients; a client that comes back gets what it missed.

A client first catches up from the database, then follows what the reader hands out. A client that is slower than its
backlog is sent back to catching up, so memory stays bounded and nothing is lost.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from services.notifications.store import stream
from services.notifications.store.listen import LOSSES, listen, pause
from services.notifications.store.stream import Entry
from shared.engine import Engine
from shared.errors import Unavailable
from shared.store.database import Pool
from shared.telemetry.failures import class_of

log = logging.getLogger(__name__)

PAGE = 200
"""Entries per read."""
BACKLOG = 1000
"""Entries that wait for one client before it is sent back to the database."""


@dataclass(slots=True, eq=False)
class _Follower:
    receivers: frozenset[str]
    waiting: deque[Entry] = field(default_factory=deque)
    bell: asyncio.Event = field(default_factory=asyncio.Event)
    behind: bool = False


class Hub:
    """The process's reader of the stream and its followers."""

    def __init__(self, pool: Pool, *, poll: float = 5.0) -> None:
        """``poll``: seconds after which the reader looks even if nobody rang."""
        self._pool = pool
        self._poll = poll
        self._followers: set[_Follower] = set()
        self._closed = False

    async def run(self, stop: asyncio.Event) -> None:
        """Read and hand out until ``stop``; then the followers' streams end."""
        bell = asyncio.Event()
        stopping = asyncio.create_task(stop.wait())
        stopping.add_done_callback(lambda task: bell.set())
        ears = asyncio.create_task(listen(self._pool, stream.STREAM, bell.set, stop))
        position: int | None = None
        try:
            while not stop.is_set():
                bell.clear()
                try:
                    position = await self._read(position)
                except LOSSES as error:
                    log.warning("the stream waits for its database: %s", class_of(error))
                    await pause(stop, 0.5)
                    continue
                await pause(bell, self._poll)
        finally:
            self._close()
            for task in (stopping, ears):
                task.cancel()
            await asyncio.wait([stopping, ears])

    async def now(self) -> int:
        """The position after which everything is still to come."""
        return await stream.last(self._pool)

    async def follow(self, receivers: frozenset[str], after: int | None) -> AsyncGenerator[Entry, None]:
        """The entries of ``receivers`` after ``after`` (None: from now on), each event once, without end.

        Ends when the process stops."""
        follower = _Follower(receivers)
        self._followers.add(follower)
        try:
            position = await stream.last(self._pool) if after is None else after
            told: str | None = None
            while not self._closed:
                # what comes while this reads is kept in the backlog: no gap between catching up and following
                while page := await stream.own_since(self._pool, receivers, position, PAGE):
                    for entry in page:
                        position, told = entry.seq, entry.event_id
                        yield entry
                while not self._closed and not follower.behind:
                    if not follower.waiting:
                        follower.bell.clear()
                        await follower.bell.wait()
                        continue
                    entry = follower.waiting.popleft()
                    again = entry.event_id == told
                    told = entry.event_id
                    if entry.seq > position:
                        position = entry.seq
                        if not again:
                            yield entry
                follower.waiting.clear()
                follower.behind = False
        finally:
            self._followers.discard(follower)

    async def _read(self, position: int | None) -> int:
        if position is None:
            position = await stream.last(self._pool)
            for follower in self._followers:  # what came before the reader began is in the database only
                follower.behind = True
                follower.bell.set()
        while page := await stream.since(self._pool, position, PAGE):
            for entry in page:
                self._hand_out(entry)
            position = page[-1].seq
        return position

    def _hand_out(self, entry: Entry) -> None:
        for follower in self._followers:
            if entry.receiver in follower.receivers and not follower.behind:
                if len(follower.waiting) >= BACKLOG:
                    follower.behind = True
                else:
                    follower.waiting.append(entry)
                follower.bell.set()

    def _close(self) -> None:
        self._closed = True
        for follower in self._followers:
            follower.bell.set()


_HUBS: dict[Pool, Hub] = {}
"""The running hub of each pool; only ``feed`` writes here."""


async def feed(engine: Engine, stop: asyncio.Event) -> None:
    """The API process's job: keep the hub of its database running."""
    hub = Hub(engine.pool)
    _HUBS[engine.pool] = hub
    try:
        await hub.run(stop)
    finally:
        del _HUBS[engine.pool]


def hub_of(engine: Engine) -> Hub:
    """The running hub. Raises ``Unavailable`` where the process has none (yet)."""
    try:
        return _HUBS[engine.pool]
    except KeyError:
        raise Unavailable("The stream is not running in this process.") from None
