"""What the sweeps of retention cost, and those who write beside them: ``python -m bench.retention [rows]``.

Prints JSON; the tables are those of the referrals service, filled with ``rows`` claims and two fifths as many versions.
"""

import asyncio
import json
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.partitions import writing
from services.referrals.main import SERVICE
from shared.messaging import inbox
from shared.store import forgetting
from shared.store.database import Pool, open_pool
from shared.store.embedded import SETTINGS, embedded_postgres
from shared.store.migrations import upgrade
from shared.store.sweeping import Sweep, sweep

KEEP = timedelta(days=90)


async def timed(pool: Pool, what: Sweep, share: float) -> dict[str, Any]:
    """One sweep: seconds, rows, and the WAL it wrote."""
    await pool.execute("UPDATE retention_sweep SET due_at = '-infinity'")
    before = await pool.fetchval("SELECT pg_current_wal_lsn()")
    began = time.perf_counter()
    deleted = await sweep(pool, what, "bench", asyncio.Event(), share=share)
    return {
        "deleted": deleted,
        "seconds": round(time.perf_counter() - began, 2),
        "wal_mb": int(await pool.fetchval("SELECT pg_current_wal_lsn() - $1::pg_lsn", before)) >> 20,
    }


async def measured(url: str, rows: int) -> dict[str, Any]:
    """Everything."""
    result: dict[str, Any] = {"rows": rows, "versions": rows * 2 // 5}
    pool = await open_pool(url, size=16)
    await pool.execute(
        "INSERT INTO inbox SELECT 'careplans.referrals', gen_random_uuid()::text,"
        f" now() - interval '100 days' + n * (interval '100 days' / {rows}) FROM generate_series(1, {rows}) n"
    )
    await pool.execute(
        "INSERT INTO resource_history SELECT 'CarePlan', 'p' || n / 4, n % 4 + 1,"
        f" now() - interval '400 days' + n * (interval '400 days' / {rows * 2 // 5}), 'PUT',"
        f" decode(repeat(md5(n::text), 60), 'hex') FROM generate_series(0, {rows * 2 // 5} - 1) n"
    )
    await pool.execute("VACUUM ANALYZE inbox")
    await pool.execute("VACUUM ANALYZE resource_history")
    print("filled", file=sys.stderr)
    claims = Sweep("inbox", inbox.forgetting(KEEP))
    result["quiet_writes"] = await writing(pool, "outbox", 8)
    result["inbox_first"] = await timed(pool, claims, 1)
    result["inbox_nothing_to_do"] = await timed(pool, claims, 1)
    versions = Sweep("history", forgetting.replaced_versions(timedelta(days=365)))
    result["history"] = await timed(pool, versions, 1)
    result["history_nothing_to_do"] = await timed(pool, versions, 1)
    again = Sweep("history again", forgetting.replaced_versions(timedelta(days=200)))
    sweeping = asyncio.create_task(timed(pool, again, 0.25))
    result["writes_beside_a_sweep"] = await writing(pool, "outbox", 8)
    result["sweep_beside_writes"] = await sweeping
    result["quiet_writes_again"] = await writing(pool, "outbox", 8)
    await pool.close()
    return result


def main() -> None:
    """Measure on a server of its own."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
    with (
        tempfile.TemporaryDirectory(prefix="consilium-bench-") as folder,
        embedded_postgres(Path(folder) / "data", settings=SETTINGS) as url,
    ):
        upgrade(url, SERVICE.migrations)
        print(json.dumps(asyncio.run(measured(url, rows)), indent=1))


if __name__ == "__main__":
    main()
