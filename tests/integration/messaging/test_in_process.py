"""What only the transport on PostgreSQL tables can get wrong."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from shared.ids import uuid7
from shared.messaging.envelope import Event
from shared.messaging.topology import Queue
from shared.messaging.transports.in_process import InProcessTransport, open_in_process
from shared.messaging.transports.in_process_tables import create_tables
from shared.store.database import open_pool
from tests.conftest import create_database
from tests.eventually import eventually
from tests.integration.messaging.support import Carrier, an_event, consuming, outgoing


async def test_a_consumer_outlives_the_loss_of_its_database_connections(database_url: str) -> None:
    carrier = Carrier("in_process", database_url)
    transport, queue, heard = await carrier.transport(), carrier.queue(), []
    await transport.declare([queue])

    async def handle(event: Event) -> None:
        heard.append(event.id)

    admin = await open_pool(database_url, size=1)
    async with consuming(transport, queue, handle):
        for count in (1, 2):
            await (await carrier.transport()).publish([outgoing(an_event(carrier.type()))])
            await eventually(lambda count=count: _reached(heard, count))  # type: ignore[misc]  # a bound default
            await admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        await (await carrier.transport()).publish([outgoing(an_event(carrier.type()))])
        await eventually(lambda: _reached(heard, 3))
    await admin.close()
    await carrier.close()


async def test_a_publication_wakes_only_the_queues_that_hear_it(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    carrier = Carrier("in_process", database_url)
    transport, heard = await carrier.transport(), []
    hears, idle = carrier.queue(), carrier.queue(name="idle", keys=("nobody.says.this",))
    await transport.declare([hears, idle])
    looked = _looks(monkeypatch)

    async def handle(event: Event) -> None:
        heard.append(event.id)

    async with consuming(transport, hears, handle), consuming(transport, idle, handle):
        for count in range(1, 21):
            await transport.publish([outgoing(an_event(carrier.type()))])
            await eventually(lambda count=count: _reached(heard, count))  # type: ignore[misc]  # a bound default
    assert looked.count(hears.name) >= 20
    assert looked.count(idle.name) < 10, "it looked once a second at most"
    await carrier.close()


async def test_a_queue_that_gathers_takes_what_comes_meanwhile_at_once(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    carrier = Carrier("in_process", database_url)
    transport, heard = await carrier.transport(), []
    queue = replace(carrier.queue(), gathers=0.5)
    await transport.declare([queue])
    looked = _looks(monkeypatch)

    async def handle(event: Event) -> None:
        heard.append(event.id)

    async with consuming(transport, queue, handle, prefetch=64):
        for _ in range(20):
            await transport.publish([outgoing(an_event(carrier.type()))])
        await eventually(lambda: _reached(heard, 20))
    assert looked.count(queue.name) < 10
    await carrier.close()


async def test_several_processes_may_make_the_tables_at_once(postgres: str) -> None:
    url = await create_database(postgres, "bus_" + uuid7().replace("-", ""))
    pool = await open_pool(url, size=6)
    await asyncio.gather(*(create_tables(pool) for _ in range(6)))
    await (await open_in_process(pool)).close()


def _looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the queues that were looked into, as that happens."""
    looked: list[str] = []
    real = InProcessTransport._handle_batch

    async def noted(self: Any, connection: Any, queue: Queue, *others: Any) -> int:
        looked.append(queue.name)
        return await real(self, connection, queue, *others)

    monkeypatch.setattr(InProcessTransport, "_handle_batch", noted)
    return looked


async def _reached(things: list[str], size: int) -> bool:
    return len(things) >= size
