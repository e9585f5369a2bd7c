"""Retention lets go of what nobody needs any more, and of nothing else; by any number of workers, killed or not."""

import asyncio
import dataclasses
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from services.notifications.retention import NotificationRetentionSettings
from shared.engine import Engine
from shared.fhir.search.extract import reference_term
from shared.messaging import inbox, outbox
from shared.messaging.delivery import TOO_OLD, attempt, remembered
from shared.messaging.envelope import Event, new_event
from shared.retention import RetentionSettings, retain, sweeps
from shared.service import Service
from shared.store import forgetting
from shared.store.database import Connection, Pool
from shared.store.sweeping import Batch, Sweep, sweep, through
from shared.telemetry import measures
from shared.telemetry.pools import name_of
from tests.eventually import eventually
from tests.factories.engine import every_type
from tests.factories.resources import patient

SERVICE = every_type()
DAY = timedelta(days=1)


@pytest.fixture
def service() -> Service:
    return SERVICE


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


async def swept(pool: Pool, what: Sweep, holder: str = "w1") -> int | None:
    """One sweep, due or not."""
    await pool.execute("UPDATE retention_sweep SET due_at = '-infinity', lease_until = NULL")
    return await sweep(pool, what, holder, asyncio.Event(), share=1)


async def aged(pool: Pool, table: str, column: str, days: float, where: str = "true") -> None:
    """Let rows be older than they are."""
    await pool.execute(f"UPDATE {table} SET {column} = {column} - $1::interval WHERE {where}", timedelta(days=days))


# --- what is never deleted ---------------------------------------------------------------------------------------

AGES = st.integers(0, 480).map(lambda hours: hours / 24).filter(lambda days: days != 7)
ROWS = st.lists(st.tuples(st.sampled_from(["published", "pending", "parked", "again"]), AGES), max_size=40)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
async def test_no_event_is_deleted_that_is_unpublished_or_could_fill_a_lost_queue(
    engine: Engine, rows: list[tuple[str, float]]
) -> None:
    pool = engine.pool
    await pool.execute("TRUNCATE outbox RESTART IDENTITY")
    for state, age in rows:
        published = f"now() - interval '{age} days'" if state == "published" else "NULL"
        parked = "now()" if state == "parked" else "NULL"
        await pool.execute(
            "INSERT INTO outbox (event_id, type, subject, envelope, created_at, published_at, parked_at)"
            f" VALUES ('e', $1, 's', '', now() - interval '21 days', {published}, {parked})",
            f"{state} {age}",
        )
    what = Sweep("outbox", lambda connection, after: outbox.prune_window(connection, after, 7 * DAY))
    deleted = await swept(pool, what)
    left = [row[0] for row in await pool.fetch("SELECT type FROM outbox ORDER BY seq")]
    assert left == [f"{state} {age}" for state, age in rows if state != "published" or age < 7]
    assert deleted == len(rows) - len(left)


class Nothing(BaseModel):
    """An empty payload."""


def event_of(at: datetime) -> Event:
    return new_event(id="e1", service="t", type="t.v1", subject="s", at=at, payload=Nothing())


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(handled=st.floats(0, 200), again=st.floats(0, 200), late=st.floats(0, 100))
async def test_an_event_has_its_effect_once_however_late_it_is_repeated(
    engine: Engine, handled: float, again: float, late: float
) -> None:
    """Written at 0; first handled after ``late`` days; retention ran at any time; met again after ``again`` more."""
    keep = RetentionSettings()
    written = datetime(2026, 1, 1, tzinfo=UTC)
    effects = 0

    async def effect(event: Event) -> None:
        nonlocal effects
        async with engine.pool.acquire() as connection, connection.transaction():
            if await inbox.claim(connection, "c", event.id):
                effects += 1

    await engine.pool.execute("TRUNCATE inbox")
    times = sorted([late, late + handled, late + handled + again])
    for index, days in enumerate(times):
        now = written + days * DAY
        handler = remembered(effect, keep.remembered, lambda now=now: now)
        failure = await attempt(handler, event_of(written), seconds=5, queue="q")
        assert failure is None or (failure.reason, failure.permanent) == (TOO_OLD, True)
        if index + 1 < len(times):
            # the claims grow old until the next time it comes, and retention runs then
            await aged(engine.pool, "inbox", "handled_at", times[index + 1] - days)
            async with engine.pool.acquire() as connection:
                await inbox.prune(connection, timedelta(days=keep.retention_inbox_days))
    assert effects == (1 if late * DAY <= keep.remembered else 0)


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
    assert [one.name for one in sweeps(RetentionSettings())] == ["outbox", "inbox"]


# --- history ------------------------------------------------------------------------------------------------------


async def versions(client: httpx.AsyncClient, id_: str) -> tuple[list[str], int, int]:
    """The versions that the history shows, its total, and how many pages it took."""
    seen: list[str] = []
    pages, total = 0, -1
    address: str | None = f"Patient/{id_}/_history?_count=2"
    while address is not None:
        answer = await client.get(address)
        assert answer.status_code == 200
        page = answer.json()
        pages, total = pages + 1, page.get("total", total)
        seen += [one["response"]["etag"] for one in page.get("entry", [])]
        links = {link["relation"]: link["url"] for link in page["link"]}
        address = links["next"].partition("/fhir/")[2] if "next" in links else None
    return seen, total, pages


async def test_versions_are_forgotten_that_were_replaced_long_ago_and_the_current_one_never(
    engine: Engine, client: httpx.AsyncClient
) -> None:
    what = Sweep("history", forgetting.replaced_versions(30 * DAY))
    for _ in range(5):
        await client.put("Patient/p", json=patient(id="p"))
    await client.put("Patient/old", json=patient(id="old"))
    # three versions of a year ago, the fourth of last month, the fifth of now
    await aged(engine.pool, "resource_history", "last_updated", 365, "version <= 3 OR id = 'old'")
    await aged(engine.pool, "resource_history", "last_updated", 29, "version = 4")
    assert await swept(engine.pool, what) == 2, "the third was current until last month"
    assert await versions(client, "p") == (['W/"5"', 'W/"4"', 'W/"3"'], 3, 2)
    assert (await client.get("Patient/p/_history/2")).status_code == 404
    assert await versions(client, "old") == (['W/"1"'], 1, 1)
    assert (await client.put("Patient/p", json=patient(id="p"))).headers["etag"] == 'W/"6"'


async def scattered(pool: Pool, ages: dict[int, float]) -> None:
    """Versions of Patient/x, so many days old; each lies blocks before the one that it replaced."""
    # one block each, the first of them last: what is freed at the front is filled again
    for version, age in sorted(ages.items(), reverse=True):
        await pool.execute(
            "INSERT INTO resource_history VALUES ('Patient', 'x', $1, now() - $2::interval, 'PUT', '')",
            version,
            age * DAY,
        )
        await pool.execute(
            "INSERT INTO resource_history SELECT 'Basic', $1::int || '-' || n, 1, now(), 'PUT', ''"
            " FROM generate_series(1, 200) n",
            version,
        )


async def left_of_x(pool: Pool) -> list[int]:
    rows = await pool.fetch("SELECT version FROM resource_history WHERE id = 'x' ORDER BY version")
    return [row[0] for row in rows]


async def test_a_version_that_lies_behind_its_successor_on_disk_goes_with_it(engine: Engine) -> None:
    await scattered(engine.pool, {1: 203, 2: 202, 3: 201, 4: 10, 5: 0})
    blocks = await engine.pool.fetch("SELECT ctid FROM resource_history WHERE id = 'x' ORDER BY version DESC")
    assert len({row[0][0] for row in blocks}) == 5
    seen: list[list[int]] = []
    step = through("resource_history", forgetting._REPLACED, 30 * DAY, blocks=1)

    async def noting(connection: Connection, position: int) -> Batch:
        batch = await step(connection, position)
        versions = await connection.fetch("SELECT version FROM resource_history WHERE id = 'x' ORDER BY version")
        seen.append([row[0] for row in versions])
        return batch

    assert await swept(engine.pool, Sweep("history", noting)) == 2
    assert await left_of_x(engine.pool) == [3, 4, 5], "the third was current until ten days ago"
    assert all(one == list(range(one[0], 6)) for one in seen), "a history has no gaps, not between two batches either"


async def test_a_version_whose_successor_went_before_it_goes_once_the_next_one_is_old(engine: Engine) -> None:
    what = Sweep("history", forgetting.replaced_versions(30 * DAY))
    await scattered(engine.pool, {1: 203, 4: 10, 5: 0})
    assert await swept(engine.pool, what) == 0, "all that is known is that it was replaced ten days ago"
    await aged(engine.pool, "resource_history", "last_updated", 21, "id = 'x' AND version = 4")
    assert await swept(engine.pool, what) == 1
    assert await left_of_x(engine.pool) == [4, 5]


async def test_what_was_in_a_deleted_resource_goes_and_that_it_was_deleted_stays(
    engine: Engine, client: httpx.AsyncClient
) -> None:
    what = Sweep("history of deleted", forgetting.versions_of_deleted(30 * DAY))
    for id_ in ("gone", "fresh"):
        await client.put(f"Patient/{id_}", json=patient(id=id_))
        await client.put(f"Patient/{id_}", json=patient(id=id_))
        await client.delete(f"Patient/{id_}")
    for table in ("resource", "resource_history"):
        await aged(engine.pool, table, "last_updated", 31, "id = 'gone'")
    assert await swept(engine.pool, what) == 2
    assert (await client.get("Patient/gone")).status_code == 410
    assert (await client.get("Patient/gone/_history/1")).status_code == 404
    assert (await client.get("Patient/fresh/_history/1")).status_code == 200
    revived = await client.put("Patient/gone", json=patient(id="gone"))
    assert revived.headers["etag"] == 'W/"4"', "whoever heard of version 3 must not take a new one for an old one"


AUDIT = {
    "resourceType": "AuditEvent",
    "type": {"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "110100"},
    "recorded": "2026-01-01T00:00:00Z",
    "agent": [{"requestor": True}],
    "source": {"observer": {"display": "x"}},
}


async def test_old_audit_events_go_with_their_index_but_not_one_that_is_referred_to(
    engine: Engine, client: httpx.AsyncClient
) -> None:
    what = Sweep("AuditEvent", forgetting.whole_resources("AuditEvent", 30 * DAY, reference_term))
    ids = [(await client.post("AuditEvent", json=AUDIT)).json()["id"] for _ in range(5)]
    kept, held = ids[0], ids[1]
    basic = {"resourceType": "Basic", "code": {"text": "x"}, "subject": {"reference": f"AuditEvent/{held}"}}
    assert (await client.post("Basic", json=basic)).status_code == 201
    await client.put("Patient/p", json=patient(id="p"))
    await aged(engine.pool, "resource", "last_updated", 31, f"type <> 'AuditEvent' OR id <> '{kept}'")
    assert await swept(engine.pool, what) == 3
    found = (await client.get("AuditEvent")).json()["entry"]
    assert {one["resource"]["id"] for one in found} == {kept, held}
    assert (await client.get("Patient/p")).status_code == 200
    for table in ("index_term", "index_date", "index_string", "index_quantity"):
        orphans = f"SELECT count(*) FROM {table} i WHERE NOT EXISTS (SELECT FROM resource r WHERE r.rid = i.rid)"
        assert await engine.pool.fetchval(orphans) == 0, table
    assert await engine.pool.fetchval("SELECT count(*) FROM resource_history WHERE type = 'AuditEvent'") == 2


async def at_one_moment(pool: Pool, first: int, last: int, days: float = 31) -> None:
    """AuditEvents that one transaction wrote."""
    await pool.execute(
        "INSERT INTO resource (type, id, version, last_updated, deleted, terms, body)"
        " SELECT 'AuditEvent', 'x' || n, 1, now() - $3::interval, false, '{}', '{}'"
        " FROM generate_series($1::int, $2) n",
        first,
        last,
        days * DAY,
    )


async def referred_to(pool: Pool, first: int, last: int) -> None:
    terms = [reference_term("AuditEvent", f"x{n}") for n in range(first, last + 1)]
    await pool.execute("INSERT INTO index_term SELECT unnest($1::bigint[]), 999999999", terms)


async def left_of_audit(pool: Pool) -> set[str]:
    return {row[0] for row in await pool.fetch("SELECT id FROM resource WHERE type = 'AuditEvent'")}


async def test_audit_events_of_one_moment_go_however_many_and_whatever_is_held_among_them(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "PURGED_AT_ONCE", 10)
    what = Sweep("AuditEvent", forgetting.whole_resources("AuditEvent", 30 * DAY, reference_term))
    await at_one_moment(engine.pool, 1, 55)
    assert await swept(engine.pool, what) == 55, "no sweep stops after the first of them"
    await at_one_moment(engine.pool, 1, 60)
    await at_one_moment(engine.pool, 61, 90, days=30.5)
    await at_one_moment(engine.pool, 91, 92, days=29)
    for first, last in ((1, 25), (33, 33), (58, 62)):
        await referred_to(engine.pool, first, last)
    assert await swept(engine.pool, what) == 90 - 31
    kept = {*range(1, 26), 33, *range(58, 63), 91, 92}
    assert await left_of_audit(engine.pool) == {f"x{n}" for n in kept}
    assert await swept(engine.pool, what) == 0


@pytest.mark.parametrize("position", [1_790_000_000_000_000, 5, -1])
async def test_a_sweep_whose_last_row_is_gone_begins_at_the_front(
    engine: Engine, position: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "PURGED_AT_ONCE", 10)
    what = Sweep("AuditEvent", forgetting.whole_resources("AuditEvent", 30 * DAY, reference_term))
    await at_one_moment(engine.pool, 1, 25)
    await engine.pool.execute("DELETE FROM resource WHERE rid = 5")
    await engine.pool.execute("INSERT INTO retention_sweep (name, position) VALUES ('AuditEvent', $1)", position)
    assert await swept(engine.pool, what) == 24
    assert await left_of_audit(engine.pool) == set()
