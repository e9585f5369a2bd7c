"""Searches on a real streaming replica: used while it is fresh, left when it is not, and nobody notices."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest

from shared.ids import uuid7
from shared.process.replicas import replica_of
from shared.service import engine_of
from shared.settings import ServerSettings
from shared.store import replica as store_replica
from shared.store.database import open_pool
from shared.store.embedded import embedded_postgres
from shared.store.replica import Replica
from shared.telemetry import measures
from tests.conftest import create_database
from tests.eventually import eventually
from tests.factories.engine import FixedVerifier, client_of, create_tables, every_type
from tests.factories.resources import patient
from tests.factories.standby import PRIMARY, Standby

SERVICE = every_type()


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="consilium-replica-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="module")
def primary(folder: Path) -> Iterator[str]:
    """The administration URL of a server that has a replica."""
    with embedded_postgres(folder / "primary", settings=PRIMARY) as url:
        yield url


@pytest.fixture(scope="module")
def shared_standby(primary: str, folder: Path) -> Iterator[Standby]:
    standby = Standby(primary, folder / "standby")
    standby.start()
    yield standby
    standby.close()


@pytest.fixture
async def url(primary: str) -> str:
    """A database of the test's own."""
    url = await create_database(primary, "t_" + uuid7().replace("-", ""))
    await create_tables(url)
    return url


@pytest.fixture
async def standby(shared_standby: Standby, url: str) -> Standby:
    """The replica, with the test's database on it."""
    await eventually(lambda: _has(shared_standby.url(url)), within=30)
    return shared_standby


async def _has(url: str) -> bool:
    try:
        connection = await asyncpg.connect(url)
    except (asyncpg.PostgresError, OSError):
        return False
    try:
        return await connection.fetchval("SELECT to_regclass('outbox')") is not None
    finally:
        await connection.close()


@asynccontextmanager
async def serving(
    url: str, replica_url: str, *, max_lag_s: float = 60, patience_s: float = 5
) -> AsyncIterator[tuple[httpx.AsyncClient, Replica]]:
    """The service with a replica, and what it knows of that."""
    pool = await open_pool(url, size=8)
    replica = Replica(replica_url, pool, max_lag_s=max_lag_s, size=8, patience_s=patience_s)
    measuring = asyncio.create_task(replica.run())
    try:
        async with client_of(engine_of(SERVICE, pool, replica=replica), SERVICE, FixedVerifier()) as client:
            yield client, replica
    finally:
        await replica.close()
        measuring.cancel()
        await asyncio.wait([measuring], timeout=5)
        await pool.close()


async def found(client: httpx.AsyncClient, query: str = "", **headers: str) -> int:
    """How many patients a search shows."""
    answer = await client.get(f"Patient?gender=female{query}", headers=headers)
    assert answer.status_code == 200, answer.text
    return len(answer.json().get("entry", []))


async def up(replica: Replica) -> bool:
    return replica.usable


async def down(replica: Replica) -> bool:
    return not replica.usable


async def told(url: str, expected: Callable[[float, float], bool]) -> bool:
    """Whether the gauges, staleness and use, of the database at ``url`` are as expected."""
    labels = (urlsplit(url).path.lstrip("/"),)
    return expected(measures.REPLICA_STALENESS._values.get(labels, -1), measures.REPLICA_USABLE._values.get(labels, -1))


async def shows(client: httpx.AsyncClient, number: int) -> bool:
    return await found(client) == number


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
        left = [replica for _ in range(60) if not await _usable_after(replica, 0.05)]
        assert left == []


async def _usable_after(replica: Replica, seconds: float) -> bool:
    await asyncio.sleep(seconds)  # a spell of nothing, not a wait for something
    return replica.usable


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


async def test_a_primary_is_no_replica_and_nobody_needs_one_to_start(
    standby: Standby, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    for elsewhere in (url, url.replace("/t_", "/nowhere_")):
        caplog.clear()
        async with serving(url, elsewhere, max_lag_s=1) as (client, replica):
            await client.post("Patient", json=patient(gender="female"))
            assert await found(client) > 0
            assert not await _usable_after(replica, 1.0)
            await eventually(lambda: _told(caplog, 1))
            assert not await _usable_after(replica, 1.0)
            assert await _told(caplog, 1), "once, however often it is looked for"


async def _told(caplog: pytest.LogCaptureFixture, times: int) -> bool:
    """Whether the log said so often that a replica is lost."""
    return len([record for record in caplog.records if record.name == "shared.store.replica"]) == times


async def test_a_replica_of_another_database_is_not_asked(primary: str, standby: Standby, url: str) -> None:
    other = await create_database(primary, "t_" + uuid7().replace("-", ""))
    await create_tables(other)
    await eventually(lambda: _has(standby.url(other)), within=30)
    async with serving(url, standby.url(other), max_lag_s=1) as (client, replica):
        await client.post("Patient", json=patient(gender="female"))
        assert not await _usable_after(replica, 1.5)
        assert await found(client) == 1


@pytest.mark.parametrize(
    ("told", "instead"),
    [("system_identifier", "system_identifier + 1"), ("'0/0'::pg_lsn", "'0/0'::pg_lsn + 1000000000000")],
    ids=["another cluster", "what came after the moment that the primary was restored to"],
)
async def test_neither_is_one_of_what_the_primary_is_not(
    standby: Standby, url: str, told: str, instead: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_replica, "_REPLAYED", store_replica._REPLAYED.replace(told, instead))
    async with serving(url, standby.url(url), max_lag_s=1) as (_, replica):
        assert not await _usable_after(replica, 1.5)


async def test_a_replica_that_was_promoted_is_left(primary: str, url: str, folder: Path) -> None:
    other = await asyncio.to_thread(Standby, primary, folder / "promoted")
    await asyncio.to_thread(other.start)
    try:
        async with serving(url, other.url(url), max_lag_s=1) as (client, replica):
            await eventually(lambda: up(replica), within=30)
            await other.ask("SELECT pg_promote()")
            await eventually(lambda: down(replica))
            await client.post("Patient", json=patient(gender="female"))
            assert await found(client) == 1
            assert not await _usable_after(replica, 1.0)
    finally:
        await asyncio.to_thread(other.close)


async def test_a_replica_that_knows_what_a_failover_undid_is_not_asked_when_the_primary_has_passed_it(
    primary: str, url: str, folder: Path
) -> None:
    """Two replicas of one primary; the one that knew less is promoted, and the other one is asked for searches."""
    ahead = await asyncio.to_thread(Standby, primary, folder / "ahead")
    heir = await asyncio.to_thread(Standby, primary, folder / "heir")
    await asyncio.to_thread(ahead.start)
    await asyncio.to_thread(heir.start)
    try:
        await eventually(lambda: _has(heir.url(url)), within=30)
        await asyncio.to_thread(heir.alone)
        old = await asyncpg.connect(url)
        await old.execute("CREATE TABLE undone AS SELECT generate_series(1, 1000)")
        end = await old.fetchval("SELECT pg_current_wal_flush_lsn()::text")
        await old.close()
        await eventually(lambda: _replayed(ahead, end), within=30)
        # the old primary is gone in this story; it would go on writing by itself, and its replica go on receiving
        await asyncio.to_thread(ahead.alone)
        await heir.ask("SELECT pg_promote()")
        async with serving(heir.url(url), ahead.url(url), max_lag_s=60) as (_, replica):
            assert not await _usable_after(replica, 1.5)
            new = await asyncpg.connect(heir.url(url))
            while await new.fetchval("SELECT pg_current_wal_flush_lsn() <= $1::text::pg_lsn", end):
                await new.execute("CREATE TABLE IF NOT EXISTS made AS SELECT 1 AS n")
                await new.execute("INSERT INTO made SELECT generate_series(1, 1000)")
            await new.close()
            left = [replica for _ in range(30) if await _usable_after(replica, 0.1)]
            assert left == []
    finally:
        await asyncio.to_thread(ahead.close)
        await asyncio.to_thread(heir.close)


async def test_a_replica_that_follows_the_new_primary_is_used_at_once(primary: str, url: str, folder: Path) -> None:
    """By its control file it is on the old timeline for minutes; that alone is no reason to leave it."""
    heir = await asyncio.to_thread(Standby, primary, folder / "next")
    await asyncio.to_thread(heir.start)
    follower = await asyncio.to_thread(Standby, heir.url(primary), folder / "follower")
    await asyncio.to_thread(follower.start)
    try:
        await eventually(lambda: _has(follower.url(url)), within=30)
        await heir.ask("SELECT pg_promote()")
        async with serving(heir.url(url), follower.url(url), max_lag_s=5) as (client, replica):
            await client.post("Patient", json=patient(gender="female"))
            await eventually(lambda: up(replica), within=30)
            await eventually(lambda: shows(client, 1))
            assert await follower.ask("SELECT timeline_id FROM pg_control_checkpoint()") == 1
    finally:
        await asyncio.to_thread(follower.close)
        await asyncio.to_thread(heir.close)


async def _replayed(standby: Standby, position: object) -> bool:
    return bool(await standby.ask(f"SELECT pg_last_wal_replay_lsn() >= '{position}'"))


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
        assert not await _usable_after(replica, 0.5), "there is no such database"
    named = ServerSettings(database_read_url=standby.url(url).replace(real, "{service}"))
    async with replica_of(real, pool, named, size=2) as replica:
        assert replica is not None
        await eventually(lambda: up(replica))
    await pool.close()
