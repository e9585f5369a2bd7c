"""Alive and ready: what a probe is told when PostgreSQL or the carrier of messages is gone."""

import asyncpg
import pytest

from shared.process.databases import BUS
from tests.broker import Broker
from tests.eventually import eventually
from tests.factories.edge import Edge, edge
from tests.scale import within_the_test

pytestmark = within_the_test("asks one process for its readiness")


async def probed(running: Edge) -> tuple[int, dict[str, str]]:
    """The status of ``/health/ready`` and everything that is not ok; the process is alive all the while."""
    assert (await running.client.get("/health/live")).status_code == 200
    answer = await running.client.get("/health/ready")
    told = answer.json()
    return answer.status_code, {
        name: state for name, state in (told["services"] | told["checks"]).items() if state != "ok"
    }


async def test_a_lost_database_is_named(databases: dict[str, str], postgres: str) -> None:
    async with edge(databases) as running:
        await eventually(lambda: ready(running))
        await allow(postgres, databases["careplans"], connections=False)
        try:
            assert await probed(running) == (503, {"careplans": "unavailable: database, migrations"})
        finally:
            await allow(postgres, databases["careplans"], connections=True)
        await eventually(lambda: ready(running))


@pytest.mark.parametrize("background", [True, False], ids=["with workers", "one API process of several"])
async def test_a_lost_bus_is_named(databases: dict[str, str], postgres: str, background: bool) -> None:
    async with edge(databases, background=background) as running:
        await eventually(lambda: ready(running))
        await allow(postgres, databases[BUS], connections=False)
        try:
            assert await probed(running) == (503, {"messages": "unavailable"})
        finally:
            await allow(postgres, databases[BUS], connections=True)
        await eventually(lambda: ready(running))


@pytest.mark.rabbitmq
async def test_a_lost_broker_is_named(databases: dict[str, str], broker: Broker) -> None:
    async with edge(databases, amqp_url=broker.url) as running:
        await eventually(lambda: ready(running))
        broker.stop()
        assert await probed(running) == (503, {"messages": "unavailable"})
        broker.start()
        await eventually(lambda: ready(running), within=40)


@pytest.mark.rabbitmq
async def test_a_broker_that_is_not_there_is_named_by_an_api_process_of_several(
    databases: dict[str, str], broker: Broker
) -> None:
    broker.stop()
    async with edge(databases, amqp_url=broker.url, background=False) as running:
        assert await probed(running) == (503, {"messages": "unavailable"})
    broker.start()


@pytest.mark.rabbitmq
async def test_a_broker_that_comes_later_is_waited_for(databases: dict[str, str], broker: Broker) -> None:
    broker.stop()
    async with edge(databases, amqp_url=broker.url) as running:
        assert await probed(running) == (503, {"messages": "unavailable"})
        assert (await running.ask("GET", "/fhir/Patient")).status_code == 200
        broker.start()
        await eventually(lambda: ready(running), within=40)


async def ready(running: Edge) -> bool:
    """Everything is well."""
    return await probed(running) == (200, {})


async def allow(postgres: str, url: str, *, connections: bool) -> None:
    """Let a database be reached, or end all its connections and let in no new ones."""
    connection = await asyncpg.connect(postgres)
    try:
        name = url.partition("?")[0].rpartition("/")[2]
        await connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {str(connections).lower()}')
        if not connections:
            await connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
    finally:
        await connection.close()
