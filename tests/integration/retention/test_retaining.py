"""The job that sweeps: when it holds back, what it tells, and which settings it refuses."""

import asyncio
import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from services.notifications.retention import NotificationRetentionSettings
from shared.engine import Engine
from shared.retention import RetentionSettings, retain, sweeps
from shared.store.database import Connection
from shared.store.sweeping import Batch, Sweep
from shared.telemetry import measures
from shared.telemetry.pools import name_of
from tests.eventually import eventually
from tests.integration.retention.sweeping import DAY


async def test_nothing_is_deleted_while_clocks_contradict_each_other(engine: Engine) -> None:
    await engine.pool.execute("INSERT INTO inbox VALUES ('c', 'e', now() - interval '91 days')")

    async def swept_once(engine: Engine) -> bool:
        return await engine.pool.fetchval("SELECT count(finished_at) > 0 FROM retention_sweep") is True

    async def kept_after_a_look(off: timedelta) -> int:
        looked, stop = asyncio.Event(), asyncio.Event()

        def clock() -> datetime:
            looked.set()
            return datetime.now(UTC) + off

        job = asyncio.create_task(retain(dataclasses.replace(engine, clock=clock), (), stop, look=0.01))
        await looked.wait()
        if abs(off) < timedelta(hours=1):
            await eventually(lambda: swept_once(engine))
        else:
            looked.clear()
            await looked.wait()  # it came back to look again, and had swept nothing
        stop.set()
        await job
        left: int = await engine.pool.fetchval("SELECT count(*) FROM inbox")
        return left

    assert await kept_after_a_look(-400 * DAY) == 1, "the database's clock is ahead of ours"
    assert await kept_after_a_look(400 * DAY) == 1
    assert not await swept_once(engine)
    assert await kept_after_a_look(timedelta(minutes=59)) >= 0
    assert await swept_once(engine)


async def test_what_a_sweep_did_what_broke_it_off_and_how_late_it_is_is_measured(engine: Engine) -> None:
    database = name_of(engine.pool)
    await engine.pool.execute(
        "INSERT INTO inbox SELECT 'c', n::text, now() - interval '91 days' FROM generate_series(1, 5) n"
    )
    await engine.pool.execute(
        "INSERT INTO retention_sweep (name, holder, lease_until, due_at)"
        " VALUES ('outbox', 'another', now() + interval '30 s', now() - interval '1 hour')"
    )

    async def broken(connection: Connection, position: int) -> Batch:
        raise OSError

    async def told() -> bool:
        measured = (measures.RETENTION_DELETED, measures.RETENTION_FAILURES, measures.RETENTION_OVERDUE)
        deleted, failures, overdue = (instrument._values for instrument in measured)
        assert deleted.get((database, "inbox")) == 5
        assert failures.get((database, "broken"), 0) >= 1
        assert failures.get((database, "inbox")) == 0
        assert overdue.get((database, "inbox")) == 0
        return 3600 < overdue.get((database, "outbox"), 0) < 3700

    stop = asyncio.Event()
    job = asyncio.create_task(retain(engine, [Sweep("broken", broken)], stop, look=0.01))
    await eventually(told)
    stop.set()
    await job


def test_settings_that_would_let_an_event_be_handled_twice_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert RetentionSettings(retention_inbox_days=68)
    for mistaken in ({"retention_inbox_days": 67}, {"retention_outbox_days": 30}, {"retention_dead_letter_days": 83}):
        with pytest.raises(ValidationError, match="handled twice"):
            RetentionSettings(**mistaken)
    with pytest.raises(ValidationError, match="told again"):
        NotificationRetentionSettings(retention_delivery_days=89)


@pytest.mark.parametrize(
    "name", ["OUTBOX", "DEAD_LETTER", "INBOX", "HISTORY", "DELETED", "AUDIT", "DELIVERY", "STREAM"]
)
def test_a_time_before_which_postgresql_knows_no_moment_is_refused_at_the_start(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"CONSILIUM_RETENTION_{name}_DAYS", "3000000")
    with pytest.raises(ValidationError, match="36500"):
        NotificationRetentionSettings()


def test_medical_records_are_kept_for_ever_unless_somebody_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {one.name for one in sweeps(RetentionSettings())} == {"outbox", "inbox", "refused transactions"}
