"""The transport without a broker: durable queues in PostgreSQL tables, woken by LISTEN/NOTIFY.

A consumer holds its messages' row locks in one transaction while it handles them: when it dies, the server rolls back
and the next consumer finds them at once. Nothing is remembered in the process, so ``kill -9`` loses nothing.
"""

import asyncio
import logging
from collections.abc import Collection, Sequence

import asyncpg

from shared.errors import NotFound
from shared.messaging.delivery import Failure, Lanes, attempt, expected, put_aside, read
from shared.messaging.refill_request import refill_request
from shared.messaging.topology import CONTROL, EXCHANGE, Queue, pattern
from shared.messaging.transport import UNAVAILABLE, UNROUTABLE, DeadLetter, Handler, Outgoing, Unconfirmed
from shared.messaging.transports import in_process_dead as dead
from shared.messaging.transports.in_process_tables import create_tables
from shared.messaging.waiting import either, heed_cancellation
from shared.store.database import Connection, Pool
from shared.store.losses import DATABASE_LOSSES

log = logging.getLogger(__name__)

CHANNEL = "consilium_bus"
"""The payload is the name of the queue in which there is something."""
POLL = 1.0
"""Seconds; only a message whose notification was lost with its connection waits so long."""

DECLARE = """
INSERT INTO bus_queue (name, exchange, pattern) VALUES ($1, $2, $3)
ON CONFLICT (name) DO UPDATE SET exchange = excluded.exchange, pattern = excluded.pattern
RETURNING xmax = 0 AS made
"""
PUBLISH = """
WITH event AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[]) WITH ORDINALITY
        AS e(id, type, traceparent, body, position)
), stored AS (
    INSERT INTO bus_message (queue, event_id, type, traceparent, body)
    SELECT q.name, e.id, e.type, e.traceparent, e.body
    FROM event e JOIN bus_queue q ON q.exchange = $5 AND (e.type || '.') ~ q.pattern
    ORDER BY e.position, q.name
    RETURNING queue, event_id
)
SELECT coalesce(array_agg(DISTINCT event_id), '{}') AS routed,
    (SELECT count(pg_notify($6, queue)) FROM (SELECT DISTINCT queue FROM stored) heard) AS woken FROM stored
"""
TAKE = """
SELECT id, event_id, type, traceparent, body, attempts FROM bus_message
WHERE queue = $1 AND dead_at IS NULL AND available_at <= clock_timestamp()
ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED
"""
NEXT_DUE = """
SELECT extract(epoch FROM min(available_at) - clock_timestamp())::float FROM bus_message
WHERE queue = $1 AND dead_at IS NULL AND available_at > clock_timestamp()
"""
HANDLED = "DELETE FROM bus_message WHERE id = ANY($1::bigint[])"
FAILED = """
UPDATE bus_message SET attempts = attempts + 1, reason = $2, last_failed_at = clock_timestamp(),
    first_failed_at = coalesce(first_failed_at, clock_timestamp()),
    available_at = clock_timestamp() + coalesce($3::float, 0) * interval '1 second',
    dead_at = CASE WHEN $3::float IS NULL THEN clock_timestamp() END
WHERE id = $1
"""


class InProcessTransport:
    """``Transport`` on a pool to the bus database. ``open_in_process`` makes one."""

    def __init__(self, pool: Pool, *, handler_seconds: float = 60.0) -> None:
        self._pool = pool
        self._handler_seconds = handler_seconds

    async def declare(self, queues: Collection[Queue]) -> None:
        """See ``Transport``."""
        async with self._pool.acquire() as connection, connection.transaction():
            for queue in sorted(queues, key=lambda one: one.name):
                if await connection.fetchval(DECLARE, queue.name, queue.exchange, pattern(queue.routing_keys)):
                    await _store(connection, [refill_request(queue)], CONTROL)

    async def publish(self, events: Sequence[Outgoing]) -> None:
        """See ``Transport``. One statement: an unroutable event hinders no other."""
        try:
            async with self._pool.acquire() as connection:
                routed = await _store(connection, events, EXCHANGE)
        except DATABASE_LOSSES as error:
            raise Unconfirmed({event.id: UNAVAILABLE for event in events}) from error
        if failed := {event.id: UNROUTABLE for event in events if event.id not in routed}:
            raise Unconfirmed(failed)

    async def consume(self, queue: Queue, handler: Handler, *, prefetch: int, stop: asyncio.Event) -> None:
        """See ``Transport``."""
        expected(queue.name)
        losses = 0
        while not stop.is_set():
            try:
                await self.declare([queue])
                async with self._pool.acquire() as connection:
                    losses = 0
                    await self._consume_on(connection, queue, handler, prefetch, stop)
            except DATABASE_LOSSES as error:
                heed_cancellation()
                losses += 1
                log.warning("the consumer of %s lost its database: %s", queue.name, type(error).__name__)
                await either(stop, seconds=min(0.1 * 2 ** min(losses, 6), 5.0))

    async def depth(self, queue: str) -> int:
        """See ``Transport``."""
        async with self._pool.acquire() as connection:
            living = queue.removesuffix(".dead")
            await dead.require(connection, living)
            waits = "dead_at IS NULL AND available_at <= now()" if living == queue else "dead_at IS NOT NULL"
            statement = f"SELECT count(*) FROM bus_message WHERE queue = $1 AND {waits}"
            return int(await connection.fetchval(statement, living))

    async def dead_list(self, queue: str, limit: int = 100) -> list[DeadLetter]:
        """See ``Transport``."""
        async with self._pool.acquire() as connection:
            return await dead.find(connection, queue, limit=limit)

    async def dead_show(self, queue: str, id: str) -> DeadLetter:
        """See ``Transport``."""
        async with self._pool.acquire() as connection:
            for letter in await dead.find(connection, queue, id=id, limit=1):
                return letter
        raise NotFound("no such dead letter")

    async def dead_replay(self, queue: str, ids: Collection[str] | None = None) -> int:
        """See ``Transport``."""
        async with self._pool.acquire() as connection:
            return await dead.replay(connection, queue, ids, CHANNEL)

    async def close(self) -> None:
        """See ``Transport``."""
        await self._pool.close()

    async def _consume_on(
        self, connection: Connection, queue: Queue, handler: Handler, prefetch: int, stop: asyncio.Event
    ) -> None:
        wake = asyncio.Event()

        def notified(*told: object) -> None:
            if told[-1] == queue.name:
                wake.set()

        try:
            await connection.add_listener(CHANNEL, notified)
            while not stop.is_set():
                wake.clear()
                taken = await self._handle_batch(connection, queue, handler, prefetch, stop)
                if 0 < taken < prefetch and queue.gathers:
                    await either(stop, seconds=queue.gathers)
                if not taken:
                    due = await connection.fetchval(NEXT_DUE, queue.name)
                    await either(stop, wake, seconds=POLL if due is None else min(due + 0.001, POLL))
        finally:
            # also when cancelled on the way: the pool hands the connection on; on a lost one it does nothing
            await connection.remove_listener(CHANNEL, notified)

    async def _handle_batch(
        self, connection: Connection, queue: Queue, handler: Handler, prefetch: int, stop: asyncio.Event
    ) -> int:
        lanes = Lanes()
        handled: list[int] = []
        failed: list[tuple[int, str, float | None]] = []

        async def handle(row: asyncpg.Record) -> None:
            event = read(row["body"], row["traceparent"])
            failure = event if isinstance(event, Failure) else None
            if not isinstance(event, Failure):
                async with lanes.lane(event.subject):
                    if stop.is_set():
                        return
                    failure = await attempt(handler, event, seconds=self._handler_seconds, queue=queue.name)
            if failure is None:
                handled.append(row["id"])
                return
            spent = failure.permanent or row["attempts"] >= len(queue.retry_delays)
            failed.append((row["id"], failure.reason, None if spent else queue.retry_delays[row["attempts"]]))
            put_aside(queue.name, failure, dead=spent)

        async with connection.transaction():
            rows = await connection.fetch(TAKE, queue.name, prefetch)
            async with asyncio.TaskGroup() as group:
                for row in rows:
                    group.create_task(handle(row))
            if handled:
                await connection.execute(HANDLED, handled)
            if failed:
                await connection.executemany(FAILED, failed)
        return len(rows)


async def open_in_process(pool: Pool, *, handler_seconds: float = 60.0) -> InProcessTransport:
    """The transport on ``pool`` (closed with it), its tables made. One consumer holds one connection of the pool."""
    await create_tables(pool)
    return InProcessTransport(pool, handler_seconds=handler_seconds)


async def _store(connection: Connection, events: Sequence[Outgoing], exchange: str) -> set[str]:
    """Put ``events`` into the queues of ``exchange`` that hear them; the ids of those that any queue heard."""
    routed = await connection.fetchval(
        PUBLISH,
        [event.id for event in events],
        [event.type for event in events],
        [event.traceparent for event in events],
        [event.body for event in events],
        exchange,
        CHANNEL,
    )
    return set(routed)
