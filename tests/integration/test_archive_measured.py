"""A log that cannot be archived is seen by who watches, and no longer once it can."""

import asyncio
from pathlib import Path

from shared.store.database import open_pool
from shared.store.embedded import SETTINGS, embedded_postgres
from shared.store.vitals import measure
from shared.telemetry import measures
from tests.eventually import eventually

FAILING = SETTINGS | {"fsync": "off", "archive_mode": "on", "archive_command": "false"}


def overdue() -> float:
    """What the gauge of the one database here says."""
    metric = measures.DATABASE_ARCHIVE.metric()
    points = metric.data.data_points if metric else ()
    (value,) = (point.value for point in points if (point.attributes or {}).get("database") == "archived")
    return float(value)


async def test_an_archive_that_fails_is_overdue_until_it_succeeds(tmp_path: Path) -> None:
    server = embedded_postgres(tmp_path / "pg", settings=FAILING)
    url = await asyncio.to_thread(server.__enter__)
    pool = await open_pool(url, size=2, name="archived")

    async def failing() -> bool:
        await measure(pool)
        return overdue() > 0

    async def archived() -> bool:
        # a segment that is full wakes the archiver
        await pool.execute("SELECT pg_logical_emit_message(true, 'x', 'x')")
        await pool.execute("SELECT pg_switch_wal()")
        return not await failing()

    try:
        await measure(pool)
        assert overdue() == 0
        await pool.execute("SELECT pg_logical_emit_message(true, 'x', 'x')")
        await pool.execute("SELECT pg_switch_wal()")
        await eventually(failing, within=30)
        await pool.execute("ALTER SYSTEM SET archive_command = 'true'")
        await pool.execute("SELECT pg_reload_conf()")
        await eventually(archived, within=60, every=0.5)
    finally:
        await pool.close()
        await asyncio.to_thread(server.__exit__, None, None, None)
