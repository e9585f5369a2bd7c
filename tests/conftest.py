"""What all tests share: one real PostgreSQL and one RabbitMQ for the session, a fresh database for whoever asks."""

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from hypothesis import settings

from shared.ids import uuid7
from shared.store.embedded import SETTINGS, embedded_postgres
from tests.broker import Broker, BrokerImpossible, reachable

# a slow moment of a shared machine is no defect of ours
settings.register_profile("consilium", deadline=None)
settings.load_profile("consilium")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The administration URL of a real embedded PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="consilium-pg-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        # nobody pulls the plug on a test: without fsync a database is made and dropped in a tenth of the time
        with embedded_postgres(Path(folder) / "data", settings=SETTINGS | {"fsync": "off"}) as url:
            yield url


async def create_database(admin_url: str, name: str) -> str:
    """A new empty database; its URL."""
    connection = await asyncpg.connect(admin_url)
    try:
        await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()
    return admin_url.replace("/postgres?", f"/{name}?")


@pytest.fixture
async def database_url(postgres: str) -> AsyncIterator[str]:
    """A fresh, empty database, dropped afterwards."""
    name = "t_" + uuid7().replace("-", "")
    yield await create_database(postgres, name)
    connection = await asyncpg.connect(postgres)
    try:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    finally:
        await connection.close()


NO_BROKER = "NO RABBITMQ, THESE TESTS DID NOT RUN"
NO_NODE = "NO NODE WITH THE VALIDATOR, THESE TESTS DID NOT RUN"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say it loudly when tests were skipped for want of a program; ``-q`` would hide it in a number."""
    reasons = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    for missing in (NO_BROKER, NO_NODE):
        skipped = [reason for reason in reasons if missing in reason]
        if skipped:
            terminalreporter.write_line(f"{len(skipped)} skipped: {skipped[0]}", red=True, bold=True)


def started_broker() -> Broker:
    """A running broker. Where that is impossible the test is skipped, and with ``CI=true`` it fails."""
    broker: Broker | None = None
    try:
        broker = Broker()
        broker.start()
    except BrokerImpossible as error:
        if broker is not None:
            broker.close()
        text = f"{NO_BROKER}: {error}"
        if os.environ.get("CI") == "true":
            pytest.fail(text, pytrace=False)
        pytest.skip(text)
    return broker


@pytest.fixture(scope="session")
def amqp_url() -> Iterator[str]:
    """A RabbitMQ that all tests of the session share: that of ``CONSILIUM_AMQP_URL``, else one started here."""
    given = os.environ.get("CONSILIUM_AMQP_URL")
    if given:
        if not reachable(given):
            pytest.fail("CONSILIUM_AMQP_URL is set, but nothing listens there", pytrace=False)
        yield given
        return
    broker = started_broker()
    yield broker.url
    broker.close()


@pytest.fixture
def broker() -> Iterator[Broker]:
    """A RabbitMQ of the test's own, to be stopped and killed."""
    broker = started_broker()
    yield broker
    broker.close()
