"""What the messaging tests share: a database with outbox and inbox, events, and a carrier to make transports on."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import aio_pika
from pydantic import BaseModel
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from shared.ids import uuid7
from shared.messaging import inbox, outbox
from shared.messaging.envelope import Event, encode, new_event
from shared.messaging.relay import Relay, RelaySettings
from shared.messaging.tables import metadata
from shared.messaging.topology import Queue
from shared.messaging.transport import Handler, Outgoing, Transport
from shared.messaging.transports.in_process import open_in_process
from shared.messaging.transports.rabbitmq import RabbitTransport
from shared.store.database import Pool, open_pool

QUICK = RelaySettings(batch=50, poll=0.02, retry_first=0.05, retry_longest=0.5)
DELAYS = (0.05, 0.1, 0.2)


class Nothing(BaseModel):
    """A payload without content."""

    number: int = 0


def an_event(type: str, subject: str = "Task/1", number: int = 0) -> Event:
    """An event of the service under test."""
    return new_event(
        id=uuid7(),
        service="tested",
        type=type,
        subject=subject,
        at=datetime.now(UTC),
        payload=Nothing(number=number),
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )


def outgoing(event: Event) -> Outgoing:
    """``event`` ready for a transport."""
    return Outgoing(event.id, event.type, event.subject, encode(event), event.traceparent)


async def create_outbox(pool: Pool) -> None:
    """Outbox, inbox, and a table that stands for the effects of a handler."""
    dialect = postgresql.dialect()
    async with pool.acquire() as connection:
        for table in metadata.sorted_tables:
            await connection.execute(str(CreateTable(table).compile(dialect=dialect)))
            for index in table.indexes:
                await connection.execute(str(CreateIndex(index).compile(dialect=dialect)))
        await connection.execute("CREATE TABLE effect (seq bigint GENERATED ALWAYS AS IDENTITY, event_id text)")


async def commit(pool: Pool, events: Iterable[Event]) -> None:
    """Put ``events`` into the outbox in a transaction of their own."""
    async with pool.acquire() as connection, connection.transaction():
        await outbox.add(connection, events)


def effect_once(pool: Pool, after: Callable[[Event], Awaitable[None]] | None = None) -> Handler:
    """A handler whose effect and inbox claim commit together; ``after`` runs between that commit and the ack."""

    async def handle(event: Event) -> None:
        async with pool.acquire() as connection, connection.transaction():
            if await inbox.claim(connection, "tested", event.id):
                await connection.execute("INSERT INTO effect (event_id) VALUES ($1)", event.id)
        if after is not None:
            await after(event)

    return handle


async def effects(pool: Pool) -> list[str]:
    """The event ids that had an effect, in order, duplicates and all."""
    return [row["event_id"] for row in await pool.fetch("SELECT event_id FROM effect ORDER BY seq")]


@dataclass
class Carrier:
    """One bus; each ``transport`` on it is like another process. Event types are the test's own on a shared broker."""

    kind: str
    url: str
    word: str = field(default_factory=lambda: "t" + uuid7().replace("-", ""))
    queues: list[Queue] = field(default_factory=list)
    transports: list[Transport] = field(default_factory=list)

    async def transport(self) -> Transport:
        """A new transport."""
        transport: Transport
        if self.kind == "rabbitmq":
            transport = RabbitTransport(self.url)
        else:
            transport = await open_in_process(await open_pool(self.url, size=6))
        self.transports.append(transport)
        return transport

    def type(self, name: str = "accepted") -> str:
        """An event type that only this test's queues hear."""
        return f"{self.word}.{name}.v1"

    def queue(self, *, name: str = "hears", delays: tuple[float, ...] = DELAYS, keys: tuple[str, ...] = ()) -> Queue:
        """A queue that hears this test's events."""
        queue = Queue(f"{self.word}.{name}", keys or (f"{self.word}.#",), retry_delays=delays)
        self.queues.append(queue)
        return queue

    async def close(self) -> None:
        """Close the transports, delete the queues."""
        for transport in self.transports:
            await transport.close()
        if self.kind == "rabbitmq":
            async with await aio_pika.connect(self.url) as connection:
                channel = await connection.channel()
                for queue in self.queues:
                    names = [queue.name, queue.dead, *(queue.retry(n + 1) for n in range(len(queue.retry_delays)))]
                    for name in names:
                        await channel.queue_delete(name)


@asynccontextmanager
async def consuming(transport: Transport, queue: Queue, handler: Handler, *, prefetch: int = 8) -> AsyncIterator[None]:
    """A consumer at work inside the block."""
    stop = asyncio.Event()
    task = asyncio.create_task(transport.consume(queue, handler, prefetch=prefetch, stop=stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, 20)


@asynccontextmanager
async def relaying(pool: Pool, *transports: Transport, settings: RelaySettings = QUICK) -> AsyncIterator[None]:
    """One relay per transport at work inside the block."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(Relay(pool, transport, settings).run(stop)) for transport in transports]
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(asyncio.gather(*tasks), 20)
