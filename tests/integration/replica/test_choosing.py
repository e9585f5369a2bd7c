"""Which server is a replica of this primary's database: not any that answers, and not any more after a failover."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from shared.ids import uuid7
from shared.store import replica as store_replica
from tests.conftest import create_database
from tests.eventually import eventually
from tests.factories.engine import create_tables
from tests.factories.resources import patient
from tests.factories.standby import Standby
from tests.integration.replica.serving import down, found, is_on, serving, shows, up, usable_after


async def test_a_primary_is_no_replica_and_nobody_needs_one_to_start(
    standby: Standby, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    for elsewhere in (url, url.replace("/t_", "/nowhere_")):
        caplog.clear()
        async with serving(url, elsewhere, max_lag_s=1) as (client, replica):
            await client.post("Patient", json=patient(gender="female"))
            assert await found(client) > 0
            assert not await usable_after(replica, 1.0)
            await eventually(lambda: _told(caplog, 1))
            assert not await usable_after(replica, 1.0)
            assert await _told(caplog, 1), "once, however often it is looked for"


async def _told(caplog: pytest.LogCaptureFixture, times: int) -> bool:
    """Whether the log said so often that a replica is lost."""
    return len([record for record in caplog.records if record.name == "shared.store.replica"]) == times


async def test_a_replica_of_another_database_is_not_asked(primary: str, standby: Standby, url: str) -> None:
    other = await create_database(primary, "t_" + uuid7().replace("-", ""))
    await create_tables(other)
    await eventually(lambda: is_on(standby.url(other)), within=30)
    async with serving(url, standby.url(other), max_lag_s=1) as (client, replica):
        await client.post("Patient", json=patient(gender="female"))
        assert not await usable_after(replica, 1.5)
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
        assert not await usable_after(replica, 1.5)


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
            assert not await usable_after(replica, 1.0)
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
        await eventually(lambda: is_on(heir.url(url)), within=30)
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
            assert not await usable_after(replica, 1.5)
            new = await asyncpg.connect(heir.url(url))
            while await new.fetchval("SELECT pg_current_wal_flush_lsn() <= $1::text::pg_lsn", end):
                await new.execute("CREATE TABLE IF NOT EXISTS made AS SELECT 1 AS n")
                await new.execute("INSERT INTO made SELECT generate_series(1, 1000)")
            await new.close()
            left = [replica for _ in range(30) if await usable_after(replica, 0.1)]
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
        await eventually(lambda: is_on(follower.url(url)), within=30)
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
