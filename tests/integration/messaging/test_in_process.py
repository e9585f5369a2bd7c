"""What only the transport on PostgreSQL tables can get wrong."""

import asyncio

from shared.ids import uuid7
from shared.messaging.envelope import Event
from shared.messaging.transports.in_process import open_in_process
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


async def test_several_processes_may_make_the_tables_at_once(postgres: str) -> None:
    url = await create_database(postgres, "bus_" + uuid7().replace("-", ""))
    pool = await open_pool(url, size=6)
    await asyncio.gather(*(create_tables(pool) for _ in range(6)))
    await (await open_in_process(pool)).close()


async def _reached(things: list[str], size: int) -> bool:
    return len(things) >= size
