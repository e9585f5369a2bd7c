"""Outbox and inbox: no event is let go of that is needed, and none has its effect twice."""

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from shared.engine import Engine
from shared.messaging import inbox, outbox
from shared.messaging.delivery import TOO_OLD, attempt, remembered
from shared.messaging.envelope import Event, new_event
from shared.retention import RetentionSettings
from shared.store.sweeping import Sweep
from tests.integration.retention.sweeping import DAY, aged, swept

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
