"""The installations that end-to-end tests run on, over either transport."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aio_pika
import pytest

from consilium.assembly import SERVICES
from shared.ids import uuid7
from shared.messaging.refill_request import refill_queue
from shared.messaging.topology import Queue
from shared.process.migrating import migrate
from shared.worker import queue_of
from tests.broker import Broker
from tests.conftest import create_database, started_broker
from tests.e2e.evidence import Evidence
from tests.factories.edge import fresh_databases
from tests.factories.system import System
from tests.scale import SCALE

NAMES = [service.name for service in SERVICES]


@pytest.fixture(scope="session")
async def templates(postgres: str) -> dict[str, str]:
    """The names of a migrated database per service, to be copied."""
    names = {name: f"template_{name}_{uuid7()[-12:]}" for name in NAMES}
    await migrate(SERVICES, {name: await create_database(postgres, database) for name, database in names.items()})
    return names


@pytest.fixture
async def databases(postgres: str, templates: dict[str, str]) -> AsyncIterator[dict[str, str]]:
    """A URL per service and for the bus: fresh databases, dropped afterwards."""
    async with fresh_databases(postgres, templates) as databases:
        yield databases


@pytest.fixture(scope="session")
def own_broker() -> Iterator[Broker]:
    """A RabbitMQ for end-to-end tests alone: queues have the names of production, so nobody else may use it."""
    broker = started_broker()
    yield broker
    broker.close()


@pytest.fixture
async def clean_broker(own_broker: Broker) -> AsyncIterator[Broker]:
    """``own_broker``, running and without any queue before and after, whatever a test did to it."""
    await clean(own_broker)
    yield own_broker
    await clean(own_broker)


@pytest.fixture
def spare_broker(request: pytest.FixtureRequest) -> Broker:
    """A RabbitMQ without any queue, for an installation of the test's own."""
    # at scale, the processes that all tests share are on the other one
    broker: Broker = request.getfixturevalue("broker" if SCALE else "clean_broker")
    return broker


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A folder for an installation. Not pytest's: another session closes that to the user that PostgreSQL runs as."""
    with tempfile.TemporaryDirectory(prefix="consilium-e2e-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "data"


@pytest.fixture(params=["in_process", pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)])
def amqp(request: pytest.FixtureRequest) -> str | None:
    """Each of the transports: the broker's URL, or None for the in-process one."""
    if request.param == "in_process":
        return None
    broker: Broker = request.getfixturevalue("clean_broker")
    return broker.url


@pytest.fixture
def system(amqp: str | None, databases: dict[str, str], tmp_path: Path) -> System:
    """An installation, over each of the transports."""
    return System(databases, tmp_path, amqp)


@pytest.fixture
def plain_system(databases: dict[str, str], tmp_path: Path) -> System:
    """An installation over the in-process transport, where the transport does not matter."""
    return System(databases, tmp_path)


@pytest.fixture
def rabbit_system(clean_broker: Broker, databases: dict[str, str], tmp_path: Path) -> System:
    """An installation over RabbitMQ."""
    return System(databases, tmp_path, clean_broker.url)


def all_queues() -> list[Queue]:
    """Every queue of every service."""
    heard = [queue_of(binding) for service in SERVICES for binding in service.bindings]
    return [*heard, *(refill_queue(service.name) for service in SERVICES)]


async def clean(broker: Broker) -> None:
    """``broker`` running and without any queue of ours."""
    await asyncio.to_thread(broker.ensure)
    async with await aio_pika.connect(broker.url) as connection:
        channel = await connection.channel()
        for queue in all_queues():
            retries = (queue.retry(number + 1) for number in range(len(queue.retry_delays)))
            for name in (queue.name, queue.dead, *retries):
                await channel.queue_delete(name)


@pytest.fixture
async def evidence(request: pytest.FixtureRequest, databases: dict[str, str]) -> AsyncIterator[Evidence]:
    """What the test's installation has stored."""
    over_broker = {"rabbit_system"} & set(request.fixturenames) or (
        "system" in request.fixturenames and request.getfixturevalue("system").amqp_url
    )
    evidence = Evidence(databases, request.getfixturevalue("clean_broker").url if over_broker else None)
    yield evidence
    await evidence.close()


if SCALE:
    # the same names for the same things, over real processes
    from tests.e2e.on_processes import (  # noqa: F401  they are fixtures
        amqp,
        clean_broker,
        databases,
        evidence,
        plain_system,
        rabbit_system,
        system,
        whole,
    )
