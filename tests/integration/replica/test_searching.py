"""Searches on a real streaming replica: used while it is fresh, left when it is not, and nobody notices."""

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit

import asyncpg
import httpx

from shared.ids import uuid7
from shared.process.replicas import replica_of
from shared.settings import ServerSettings
from shared.store.database import open_pool
from shared.telemetry import measures
from tests.eventually import eventually
from tests.factories.resources import patient
from tests.factories.standby import Standby
from tests.integration.replica.serving import down, found, serving, shows, up, usable_after


async def told(url: str, expected: Callable[[float, float], bool]) -> bool:
    """Whether the gauges, staleness and use, of the database at ``url`` are as expected."""
    labels = (urlsplit(url).path.lstrip("/"),)
    return expected(measures.REPLICA_STALENESS._values.get(labels, -1), measures.REPLICA_USABLE._values.get(labels, -1))


async def test_searches_go_to_the_replica_and_what_must_be_current_does_not(standby: Standby, url: str) -> None:
    async with serving(url, standby.url(url)) as (client, replica):
        await eventually(lambda: up(replica))
        await client.post("Patient", json=patient(gender="female"))
        await eventually(lambda: shows(client, 1))
        await standby.ask("SELECT pg_wal_replay_pause()")
        try:
            criteria = {"If-None-Exist": "identifier=urn:x|once"}
            new = patient(gender="female", identifier=[{"system": "urn:x", "value": "once"}])
            made = await client.post("Patient", json=new, headers=criteria)
            assert made.status_code == 201
            id_ = made.json()["id"]
            assert await found(client) == 1, "the replica does not know of it yet, and it was asked"
            assert (await client.get(f"Patient/{id_}")).status_code == 200
            assert (await client.get(f"Patient/{id_}/_history")).status_code == 200
            assert (await client.post("Patient", json=new, headers=criteria)).status_code == 200, "no twin was made"
            assert await found(client, **{"Cache-Control": "no-cache"}) == 2
            assert await found(client, "&_sort=-_lastUpdated") == 2
        finally:
            await standby.ask("SELECT pg_wal_replay_resume()")
        await eventually(lambda: shows(client, 2))


async def test_a_replica_too_far_behind_is_left_and_taken_again(standby: Standby, url: str) -> None:
    async with serving(url, standby.url(url), max_lag_s=1) as (client, replica):
        await eventually(lambda: up(replica))
        await standby.ask("SELECT pg_wal_replay_pause()")
        try:
            await client.post("Patient", json=patient(gender="female"))
            await eventually(lambda: shows(client, 1), within=5)
            assert not replica.usable
            assert await eventually(lambda: told(url, lambda stale, used: stale > 1 and used == 0))
        finally:
            await standby.ask("SELECT pg_wal_replay_resume()")
        await eventually(lambda: up(replica))
        assert await eventually(lambda: told(url, lambda stale, used: stale < 1 and used == 1))


async def test_an_idle_primary_does_not_make_its_replica_old(standby: Standby, url: str) -> None:
    async with serving(url, standby.url(url), max_lag_s=2) as (_, replica):
        await eventually(lambda: up(replica))
        left = [replica for _ in range(60) if not await usable_after(replica, 0.05)]
        assert left == []


async def test_a_replica_that_is_killed_costs_nobody_a_request_and_comes_back(standby: Standby, url: str) -> None:
    async with serving(url, standby.url(url)) as (client, replica):
        await client.post("Patient", json=patient(gender="female"))
        await eventually(lambda: up(replica))
        await eventually(lambda: shows(client, 1))
        stop = asyncio.Event()
        searches = [asyncio.create_task(_searching(client, stop)) for _ in range(8)]
        await asyncio.to_thread(standby.kill)
        await eventually(lambda: down(replica))
        await asyncio.to_thread(standby.start)
        await eventually(lambda: up(replica), within=30)
        stop.set()
        assert sum(await asyncio.gather(*searches)) > 0


async def _searching(client: httpx.AsyncClient, stop: asyncio.Event) -> int:
    """Search until told to stop; how often."""
    times = 0
    while not stop.is_set():
        assert await found(client) == 1
        times += 1
    return times


async def test_a_replica_that_hangs_is_waited_for_once(standby: Standby, url: str) -> None:
    async with serving(url, standby.url(url), patience_s=0.5) as (client, replica):
        await client.post("Patient", json=patient(gender="female"))
        await eventually(lambda: up(replica))
        await eventually(lambda: shows(client, 1))
        standby.freeze()
        try:
            async with asyncio.timeout(5):
                assert await asyncio.gather(*(found(client) for _ in range(20))) == [1] * 20
                assert not replica.usable
                assert await found(client) == 1
        finally:
            standby.thaw()
        await eventually(lambda: up(replica), within=30)


async def test_the_user_of_a_replica_needs_no_more_than_select(standby: Standby, url: str) -> None:
    name = "r_" + uuid7().replace("-", "")
    connection = await asyncpg.connect(url)
    await connection.execute(f"CREATE ROLE {name} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}")
    await connection.close()
    await eventually(lambda: _knows(standby, name))
    parts = urlsplit(standby.url(url))
    plain = parts._replace(netloc=f"{name}@{parts.netloc.rpartition('@')[2]}").geturl()
    async with serving(url, plain) as (_, replica):
        await eventually(lambda: up(replica))


async def _knows(standby: Standby, role: str) -> bool:
    return bool(await standby.ask(f"SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}')"))


async def test_the_setting_names_the_replica_of_each_service(url: str, standby: Standby) -> None:
    pool = await open_pool(url, size=2)
    async with replica_of("careplans", pool, ServerSettings(), size=2) as replica:
        assert replica is None
    template = standby.url(url).replace("/t_", "/{service}_t_")
    real = urlsplit(standby.url(url)).path.strip("/")
    async with replica_of("t", pool, ServerSettings(database_read_url=template), size=2) as replica:
        assert replica is not None
        assert not await usable_after(replica, 0.5), "there is no such database"
    named = ServerSettings(database_read_url=standby.url(url).replace(real, "{service}"))
    async with replica_of(real, pool, named, size=2) as replica:
        assert replica is not None
        await eventually(lambda: up(replica))
    await pool.close()
