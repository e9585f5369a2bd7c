"""``System`` and ``Edge`` over real processes: the same tests, with several of each kind on the other side of HTTP."""

import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aio_pika
import asyncpg
import httpx
import pytest

from consilium.assembly import SERVICES
from shared.messaging.refill_request import refill_queue
from shared.security.caller import Caller
from shared.worker import queue_of
from tests.broker import Broker
from tests.factories.apart import OWNERS, Apart, Counts, apart
from tests.scale import SCALE

KEPT = ("alembic_version", "schema_floor")
"""Tables that migrations fill."""


@dataclass(frozen=True)
class WholeWorkers:
    """The workers of the installation as a test's ``Workers``."""

    installation: Apart

    async def kill(self) -> None:
        """Kill one of each service in the middle of whatever it does; another one takes its place, as in a cluster."""
        for service in OWNERS:
            await self.installation.lose(self.installation.children[service, "worker"][0])
        await self.installation.come_up([self.installation.spawn(service, "worker") for service in OWNERS])


@dataclass(frozen=True)
class WholeSite:
    """The installation as a test's ``Site``; what is inside of a process is not to be had."""

    installation: Apart

    @property
    def assembly(self) -> object:
        """There is none. Skips the test."""
        pytest.skip("looks into the process that serves")

    def by(self, caller: Caller) -> httpx.AsyncClient:
        """See ``Clients.by``."""
        return self.installation.by(caller)

    @asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        """Where it is served."""
        yield self.installation.base

    @asynccontextmanager
    async def working(self, *, confirmed: object = None, committed: object = None) -> AsyncIterator[WholeWorkers]:
        """The workers work all the time. Skips a test that wants to stop one at a place in its code."""
        if confirmed is not None or committed is not None:
            pytest.skip("kills a worker at a place in its code")
        yield WholeWorkers(self.installation)


@dataclass(frozen=True)
class WholeSystem:
    """The installation as a test's ``System``."""

    installation: Apart

    @property
    def databases(self) -> Mapping[str, str]:
        """Its databases."""
        return self.installation.databases

    @property
    def data_dir(self) -> Path:
        """Where its keys are."""
        return self.installation.data_dir

    @property
    def amqp_url(self) -> str | None:
        """Its broker."""
        return self.installation.amqp_url

    @asynccontextmanager
    async def site(self, *, processes: int = 1) -> AsyncIterator[WholeSite]:
        """The installation; there are as many processes as there are."""
        yield WholeSite(self.installation)


class Logs:
    """Every line that any process of an installation wrote."""

    def __init__(self, installation: Apart) -> None:
        self._installation = installation

    def __iter__(self) -> Iterator[str]:
        return iter(self._installation.logs().splitlines())


@asynccontextmanager
async def over_processes(databases: Mapping[str, str], *, background: bool) -> AsyncIterator[Apart]:
    """An installation of its own; with ``background`` with workers, on a broker of its own. Logs everything."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="consilium-edge-")))
        broker = None
        if background:
            broker = Broker()
            stack.callback(broker.close)
            broker.start()
        passed = {"CONSILIUM_LOG_LEVEL": "DEBUG"}
        counts = Counts(SCALE, 1, 1)
        yield await stack.enter_async_context(apart(databases, broker.url if broker else None, folder, counts, passed))


async def empty(installation: Apart) -> None:
    """Forget everything that is stored or waits in a queue."""
    assert installation.amqp_url is not None
    async with await aio_pika.connect(installation.amqp_url) as connection:
        for service in SERVICES:
            for queue in (refill_queue(service.name), *(queue_of(binding) for binding in service.bindings)):
                for name in (queue.name, queue.dead, *(queue.retry(n + 1) for n in range(len(queue.retry_delays)))):
                    channel = await connection.channel()
                    found = await channel.get_queue(name, ensure=False)
                    await found.purge()
                    await channel.close()
    for url in installation.databases.values():
        database = await asyncpg.connect(url)
        tables = "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables WHERE schemaname = 'public'"
        names = await database.fetchval(f"{tables} AND NOT tablename = ANY($1)", list(KEPT))
        if names:  # the in-process transport's database stays empty here
            await database.execute(f"TRUNCATE {names}")
        await database.close()
