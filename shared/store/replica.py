"""A read replica: reads that may be a little old go there while it is known to be fresh enough, else to the primary.

How old it is at most is measured without any clock of another machine: the primary is asked for its write position,
the replica for the position up to which it has replayed; what it has replayed of a position that was the primary's
``t`` seconds ago is at most ``t`` seconds old (docs/adr/0013-read-replicas.md).
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar
from urllib.parse import urlsplit

import asyncpg

from shared.store.database import Pool, open_pool
from shared.store.losses import DATABASE_LOSSES, is_loss
from shared.store.trail import Trail
from shared.telemetry.measures import REPLICA_STALENESS, REPLICA_USABLE
from shared.telemetry.pools import name_of

log = logging.getLogger(__name__)

T = TypeVar("T")

IDENTITY = """
system_identifier || '/' || (SELECT oid FROM pg_database WHERE datname = current_database()) AS identity
FROM pg_control_system()
"""
"""The end of a SELECT: what a copy shares with its original, the cluster's identity and the database's number in it."""
_WRITTEN = f"""
SELECT pg_current_wal_flush_lsn() - '0/0'::pg_lsn AS position,
    ('x' || left(pg_walfile_name(pg_current_wal_flush_lsn()), 8))::bit(32)::int AS timeline, {IDENTITY}
"""
# a replica that was promoted replays nothing more, and is no copy of our primary; the timeline may be told minutes late
_REPLAYED = f"""
SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() - '0/0'::pg_lsn END AS position,
    greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) - '0/0'::pg_lsn AS received,
    greatest((SELECT timeline_id FROM pg_control_checkpoint()),
        (SELECT min_recovery_end_timeline FROM pg_control_recovery())) AS timeline, {IDENTITY}
"""
_FAILURES = (asyncpg.PostgresError, *DATABASE_LOSSES)


class Replica:
    """The replica behind ``url``, compared with the database of ``primary``. Nothing is read from it before ``run``."""

    def __init__(
        self, url: str, primary: Pool, *, max_lag_s: float = 5.0, size: int = 16, patience_s: float = 5.0
    ) -> None:
        """``max_lag_s``: how old an answer may be; ``patience_s``: how long the replica may take for it."""
        self._url = url
        self._primary = primary
        self._max_lag_s = max_lag_s
        self._size = size
        self._patience_s = patience_s
        self._pool: Pool | None = None
        self._every_s = min(1.0, max_lag_s / 4)
        self._trail = Trail(reach_s=max_lag_s, every_s=self._every_s)
        self._as_of = float("-inf")
        """Everything that was committed before this moment (monotonic) is on the replica."""
        self._known = time.monotonic()
        """The last such moment that was known, also of one that was lost since; at first, when we began to ask."""
        self._up = False
        self._looked = False
        """Whether it was found or missed before: one that is missing from the start is told, too."""

    @property
    def staleness_s(self) -> float:
        """How old what it holds is at most; infinite while nothing is known."""
        return time.monotonic() - self._as_of

    @property
    def usable(self) -> bool:
        """Whether a read would go there now."""
        return self._up and self._pool is not None and self.staleness_s <= self._max_lag_s

    async def read(self, ask: Callable[[Pool], Awaitable[T]]) -> T:
        """What ``ask`` answers: from the replica, or from the primary where that one is too old, gone, slow or refuses.

        Raises what ``ask`` raises on the primary, and what is not about a database as it is."""
        pool = self._pool
        if pool is None or not self.usable:
            return await ask(self._primary)
        try:
            return await _within(self._patience_s, ask(pool))
        except _FAILURES as error:
            # a row version that the primary has vacuumed away ends a read, too: that is no reason to leave the replica
            if is_loss(error) and not isinstance(error, asyncpg.TransactionRollbackError):
                self._lose(type(error).__name__)
            return await ask(self._primary)

    async def run(self) -> None:
        """Measure, lose and find again, until cancelled."""
        while True:
            try:
                await self._measure()
            except _FAILURES as error:
                self._lose(type(error).__name__)
            self._tell()
            await asyncio.sleep(self._every_s)

    async def close(self) -> None:
        """Give back its connections, whatever they do."""
        self._lose(None)

    def _tell(self) -> None:
        name = name_of(self._primary)
        self._known = max(self._known, self._as_of)
        REPLICA_STALENESS.set(time.monotonic() - self._known, name)
        REPLICA_USABLE.set(int(self.usable), name)

    async def _measure(self) -> None:
        asked = time.monotonic()
        # if this hangs, what is known of the replica grows old, and it is left
        ours = await _standing(self._primary, _WRITTEN)
        if self._trail.add(asked, ours["position"], ours["timeline"]):
            self._as_of = float("-inf")
        theirs = await _within(self._patience_s, self._replayed())
        replayed = theirs["position"]
        if replayed is None or theirs["identity"] != ours["identity"]:
            self._lose("it is no replica of ours")
            return
        if theirs["received"] > ours["position"]:
            ours = await _standing(self._primary, _WRITTEN)
        # one of what the primary was before a failover, or before it was restored: what it shows was undone
        if self._trail.undone(theirs["received"], theirs["timeline"], ours["position"]):
            self._lose("it is, or was, ahead of the primary")
            return
        self._as_of = max(self._as_of, self._trail.as_of(replayed))
        fresh = self.staleness_s <= self._max_lag_s
        if fresh and not self._up:
            log.info("searches go to the read replica")
        elif self._up and not fresh:
            log.warning("the read replica is too far behind: searches go to the primary")
        self._up, self._looked = fresh, True

    async def _replayed(self) -> asyncpg.Record:
        if self._pool is None:
            name = f"{urlsplit(self._url).path.lstrip('/')}_replica"
            self._pool = await open_pool(self._url, size=self._size, name=name)
        return await _standing(self._pool, _REPLAYED)

    def _lose(self, reason: str | None) -> None:
        """Leave it, for now: its connections are not worth waiting for."""
        if reason is not None and (self._up or not self._looked):
            log.warning("searches go to the primary, the read replica is lost: %s", reason)
        self._up, self._looked = False, True
        self._as_of = float("-inf")
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.terminate()


async def _standing(pool: Pool, statement: str) -> asyncpg.Record:
    """A position in the log (a primary has one, whose copy may have none), its timeline, and whose log it is."""
    row = await pool.fetchrow(statement)
    assert row is not None  # it asks for one row
    return row


async def _within(seconds: float, asking: Awaitable[T]) -> T:
    """The result of ``asking``. Raises ``TimeoutError`` at the end of ``seconds``, and waits for no cancellation then.

    That of a query needs the server, which is what may be gone."""
    task = asyncio.ensure_future(asking)
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
    except asyncio.CancelledError:
        task.cancel()
        raise
    if not done:
        task.cancel()
        task.add_done_callback(_looked_at)
        raise TimeoutError
    return task.result()


def _looked_at(task: "asyncio.Future[T]") -> None:
    """How an abandoned query ended is nobody's business."""
    if not task.cancelled():
        task.exception()


@asynccontextmanager
async def following(url: str, primary: Pool, *, max_lag_s: float = 5.0, size: int = 16) -> AsyncIterator[Replica]:
    """A replica that is measured while the block runs. It need not be there, neither now nor ever."""
    replica = Replica(url, primary, max_lag_s=max_lag_s, size=size)
    measuring = asyncio.create_task(replica.run(), name="read replica")
    try:
        yield replica
    finally:
        await replica.close()
        measuring.cancel()
        await asyncio.wait([measuring], timeout=1)
