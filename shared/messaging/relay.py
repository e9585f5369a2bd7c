"""The relay carries committed events from the outbox to the transport: at least once, in order per subject.

A batch is locked with ``FOR UPDATE SKIP LOCKED``, published, and marked only when confirmed; a crash in between
publishes again. Order per subject with several relays: an event is left alone while an earlier one of its subject is
still pending in other hands or waits for its retry. An event that no queue hears, or that the broker refuses, waits
alone with its subject.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import asyncpg
import msgspec

from shared.errors import Unavailable
from shared.messaging.envelope import decode
from shared.messaging.transport import REJECTED, UNAVAILABLE, UNROUTABLE, Outgoing, Transport, Unconfirmed
from shared.messaging.waiting import either, heed_cancellation
from shared.store.database import Connection, Pool
from shared.store.losses import DATABASE_LOSSES
from shared.telemetry.measures import PUBLISHED, UNPUBLISHED
from shared.telemetry.pools import name_of

log = logging.getLogger(__name__)

UNREADABLE = "unreadable"
"""What is in the outbox is no event."""

LOSSES = (*DATABASE_LOSSES, Unavailable)
"""What a lost database or carrier looks like; the relay waits and goes on."""

TAKE = """
SELECT seq, event_id, type, subject, envelope FROM outbox
WHERE published_at IS NULL AND parked_at IS NULL AND (retry_at IS NULL OR retry_at <= clock_timestamp())
ORDER BY seq LIMIT $1 FOR UPDATE SKIP LOCKED
"""
EARLIER = """
SELECT DISTINCT ON (subject) subject, seq, retry_at FROM outbox
WHERE published_at IS NULL AND parked_at IS NULL
    AND seq < $1 AND subject = ANY($2::text[]) AND NOT (seq = ANY($3::bigint[]))
ORDER BY subject, seq
"""
MARK = "UPDATE outbox SET published_at = clock_timestamp(), retry_at = NULL WHERE seq = ANY($1::bigint[])"
PARK = "UPDATE outbox SET parked_at = clock_timestamp() WHERE seq = ANY($1::bigint[])"
POSTPONE = """
UPDATE outbox SET attempts = attempts + 1,
    retry_at = clock_timestamp() + least($2::float * 2 ^ least(attempts, 20), $3::float) * interval '1 second'
WHERE seq = ANY($1::bigint[])
"""
FOLLOW = """
UPDATE outbox o SET retry_at = f.retry_at FROM unnest($1::bigint[], $2::timestamptz[]) AS f(seq, retry_at)
WHERE o.seq = f.seq
"""


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """Sizes and times (seconds) of a relay."""

    batch: int = 500
    poll: float = 0.05
    """The longest wait for an event of another process when nobody rings."""
    pace: float = 0.025
    """The shortest time between two batches that are not full: under load a batch costs what an event does."""
    retry_first: float = 0.2
    retry_longest: float = 10.0


class Relay:
    """One relay. ``confirmed`` is awaited between the broker's confirm and the mark: tests kill it there."""

    def __init__(
        self,
        pool: Pool,
        transport: Transport,
        settings: RelaySettings | None = None,
        *,
        confirmed: Callable[[Sequence[str]], Awaitable[None]] | None = None,
    ) -> None:
        self._pool = pool
        self._transport = transport
        self._settings = settings or RelaySettings()
        self._confirmed = confirmed
        self._wake = asyncio.Event()
        self._database = name_of(pool)
        PUBLISHED.expect(self._database)
        for reason in (UNAVAILABLE, UNROUTABLE, REJECTED, UNREADABLE):
            UNPUBLISHED.expect(self._database, reason)

    def wake(self) -> None:
        """There is something in the outbox: do not wait for the poll."""
        self._wake.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Relay until ``stop``, through every loss of the database or the carrier."""
        losses = 0
        while not stop.is_set():
            try:
                self._wake.clear()
                moved = await self.step()
                losses = 0
            except LOSSES as error:
                heed_cancellation()
                losses += 1
                log.warning("the relay waits: %s", type(error).__name__)
                await either(stop, seconds=min(0.1 * 2 ** min(losses, 6), 5.0))
                continue
            if not moved:
                await either(stop, self._wake, seconds=self._settings.poll)
            elif moved < self._settings.batch:
                await either(stop, seconds=self._settings.pace)

    async def step(self) -> int:
        """One batch; how many events were confirmed. Raises ``Unconfirmed`` when the carrier is down."""
        async with self._pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(TAKE, self._settings.batch)
            if not rows:
                return 0
            rows = await self._in_turn(connection, rows)
            unreadable, outgoing = _read(rows)
            if unreadable:
                log.error("%d events in the outbox are no CloudEvents and were set aside", len(unreadable))
                await connection.execute(PARK, unreadable)
                UNPUBLISHED.add(self._database, UNREADABLE, by=len(unreadable))
            failed = await self._publish(outgoing)
            done = [row["seq"] for row in rows if row["event_id"] in outgoing and row["event_id"] not in failed]
            if self._confirmed is not None:
                await self._confirmed([row["event_id"] for row in rows if row["seq"] in done])
            await connection.execute(MARK, done)
            postponed = [row["seq"] for row in rows if failed.get(row["event_id"], UNAVAILABLE) != UNAVAILABLE]
            if postponed:
                log.warning("%d events came back from the broker and wait for their retry", len(postponed))
                await connection.execute(POSTPONE, postponed, self._settings.retry_first, self._settings.retry_longest)
        PUBLISHED.add(self._database, by=len(done))
        for reason, number in Counter(failed.values()).items():
            UNPUBLISHED.add(self._database, reason, by=number)
        if failed and not postponed:
            raise Unconfirmed(failed)
        return len(done)

    async def _publish(self, outgoing: dict[str, Outgoing]) -> dict[str, str]:
        try:
            await self._transport.publish(tuple(outgoing.values()))
        except Unconfirmed as error:
            return error.failed
        return {}

    async def _in_turn(self, connection: Connection, rows: list[asyncpg.Record]) -> list[asyncpg.Record]:
        """The rows whose subject has no earlier pending event outside of this batch."""
        subjects = list({row["subject"] for row in rows})
        earlier = {
            row["subject"]: row
            for row in await connection.fetch(EARLIER, rows[-1]["seq"], subjects, [row["seq"] for row in rows])
        }
        if not earlier:
            return rows
        early = [row for row in rows if row["subject"] not in earlier or row["seq"] < earlier[row["subject"]]["seq"]]
        # An event behind one that waits for its retry waits as long; else a busy subject would fill every batch.
        late = [
            (row["seq"], first["retry_at"])
            for row in rows
            if (first := earlier.get(row["subject"])) and row["seq"] > first["seq"] and first["retry_at"] is not None
        ]
        if late:
            await connection.execute(FOLLOW, [seq for seq, _ in late], [moment for _, moment in late])
        return early


def _read(rows: list[asyncpg.Record]) -> tuple[list[int], dict[str, Outgoing]]:
    """The sequence numbers of rows whose envelope is no CloudEvent or another one, and the good events by id."""
    unreadable: list[int] = []
    outgoing: dict[str, Outgoing] = {}
    for row in rows:
        try:
            event = decode(row["envelope"])
        except msgspec.DecodeError:
            unreadable.append(row["seq"])
            continue
        if (event.id, event.type, event.subject) != (row["event_id"], row["type"], row["subject"]):
            unreadable.append(row["seq"])
            continue
        outgoing[event.id] = Outgoing(event.id, event.type, event.subject, row["envelope"], event.traceparent)
    return unreadable, outgoing
