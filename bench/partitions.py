"""Is it worth it to partition the tables that retention deletes from? ``python -m bench.partitions [rows]``.

Prints JSON: deletes in small batches against dropping a partition, their effect on writers, and what partitions cost
the write path and the reads that do not name the partition's key (docs/adr/0012-retention.md).
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg

from shared.store.database import Connection, open_pool
from shared.store.embedded import SETTINGS, embedded_postgres

PARTS = 10
BATCH = 5_000
_OUTBOX = """(
    seq BIGINT GENERATED ALWAYS AS IDENTITY, event_id TEXT NOT NULL, type TEXT NOT NULL, subject TEXT NOT NULL,
    envelope BYTEA NOT NULL, created_at TIMESTAMPTZ DEFAULT now() NOT NULL, published_at TIMESTAMPTZ, PRIMARY KEY (seq))
"""
_HISTORY = """(
    type TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, last_updated TIMESTAMPTZ NOT NULL,
    body BYTEA NOT NULL, PRIMARY KEY (type, id, version{key}))
"""
_INSERT = "INSERT INTO {} (event_id, type, subject, envelope) VALUES (gen_random_uuid()::text, 't', 's', $1)"
_PRUNE = """
WITH reach AS MATERIALIZED (SELECT seq FROM outbox WHERE seq > $1 AND seq <= $3 ORDER BY seq LIMIT $2),
     gone AS (DELETE FROM outbox WHERE seq IN (SELECT seq FROM reach) RETURNING 1)
SELECT max(seq) FROM reach
"""


async def outbox_of(connection: Connection, rows: int, *, partitioned: bool) -> None:
    """An outbox of ``rows`` published events of 400 bytes."""
    table = "outbox_parts" if partitioned else "outbox"
    columns = (
        _OUTBOX.replace("GENERATED ALWAYS AS IDENTITY", "DEFAULT nextval('parts_seq')") if partitioned else _OUTBOX
    )
    if partitioned:
        await connection.execute("CREATE SEQUENCE parts_seq")
    await connection.execute(f"CREATE TABLE {table} {columns}{' PARTITION BY RANGE (seq)' if partitioned else ''}")
    if partitioned:
        step = rows // PARTS
        for part in range(PARTS + 2):
            bounds = f"FROM ({part * step + 1}) TO ({(part + 1) * step + 1})"
            if part == PARTS + 1:
                bounds = f"FROM ({part * step + 1}) TO (MAXVALUE)"
            await connection.execute(f"CREATE TABLE part_{part} PARTITION OF outbox_parts FOR VALUES {bounds}")
    await connection.execute(f"CREATE INDEX {table}_pending ON {table} (seq) WHERE published_at IS NULL")
    await connection.execute(
        f"INSERT INTO {table} (event_id, type, subject, envelope, published_at) SELECT gen_random_uuid()::text,"
        " 'referral.accepted.v1', 'Task/' || n, decode(repeat(md5(n::text), 25), 'hex'), now()"
        f" FROM generate_series(1, {rows}) n"
    )
    await connection.execute(f"VACUUM ANALYZE {table}")


async def took(work: Awaitable[object]) -> float:
    """Seconds."""
    begin = time.perf_counter()
    await work
    return time.perf_counter() - begin


async def pruned(connection: Connection, first: int, last: int, pause: float = 0.0) -> list[float]:
    """Delete a range in batches; seconds of each."""
    after, times = first, []
    while True:
        begin = time.perf_counter()
        found = await connection.fetchval(_PRUNE, after, BATCH, last)
        times.append(time.perf_counter() - begin)
        if found is None:
            return times
        after = found
        await asyncio.sleep(pause)


async def writing(pool: asyncpg.Pool, table: str, seconds: float) -> dict[str, float]:
    """Single-row inserts on 8 connections: per second, median and p99 in milliseconds."""
    times: list[float] = []
    until = time.perf_counter() + seconds

    async def writer() -> None:
        async with pool.acquire() as connection:
            while time.perf_counter() < until:
                begin = time.perf_counter()
                await connection.execute(_INSERT.format(table), b"x" * 400)
                times.append(time.perf_counter() - begin)

    await asyncio.gather(*(writer() for _ in range(8)))
    times.sort()
    return {
        "per_s": round(len(times) / seconds),
        "p50_ms": round(1000 * times[len(times) // 2], 2),
        "p99_ms": round(1000 * times[int(len(times) * 0.99)], 2),
    }


async def median_ms(work: Callable[[], Awaitable[object]], times: int = 200) -> float:
    """Of ``times`` repetitions, after a few to warm up."""
    for _ in range(20):
        await work()
    return round(1000 * statistics.median([await took(work()) for _ in range(times)]), 3)


async def history_reads(connection: Connection, rows: int) -> dict[str, float]:
    """One resource's history from one table, and from twelve partitions by time."""
    await connection.execute(f"CREATE TABLE history {_HISTORY.format(key='')}")
    await connection.execute(
        f"CREATE TABLE history_parts {_HISTORY.format(key=', last_updated')} PARTITION BY RANGE (last_updated)"
    )
    for month in range(1, 13):
        bounds = f"FROM ('2026-{month:02}-01') TO ('{2026 + month // 12}-{month % 12 + 1:02}-01')"
        await connection.execute(f"CREATE TABLE history_{month} PARTITION OF history_parts FOR VALUES {bounds}")
    for table in ("history", "history_parts"):
        await connection.execute(
            f"INSERT INTO {table} SELECT 'CarePlan', 'p' || n % {rows // 10}, n / {rows // 10},"
            f" '2026-01-01'::timestamptz + n * (interval '360 days' / {rows}), decode(repeat(md5(n::text), 60), 'hex')"
            f" FROM generate_series(0, {rows} - 1) n"
        )
        await connection.execute(f"VACUUM ANALYZE {table}")
    query = "SELECT version, body FROM {} WHERE type = 'CarePlan' AND id = 'p77' AND version < 99 ORDER BY version DESC"
    one = "SELECT body FROM {} WHERE type = 'CarePlan' AND id = 'p77' AND version = 3"
    return {
        f"{name}_{kind}_ms": await median_ms(lambda table=table, text=text: connection.fetch(text.format(table)))
        for kind, table in (("plain", "history"), ("parts", "history_parts"))
        for name, text in (("history", query), ("vread", one))
    }


async def size(connection: Connection, table: str) -> int:
    """Megabytes, with indexes."""
    return int(await connection.fetchval(f"SELECT pg_total_relation_size('{table}')")) >> 20


async def measured(url: str, rows: int) -> dict[str, object]:
    """Everything."""
    result: dict[str, object] = {"rows": rows}
    pool = await open_pool(url, size=12)
    async with pool.acquire() as connection:
        await outbox_of(connection, rows, partitioned=False)
        await outbox_of(connection, rows, partitioned=True)
        print("filled", file=sys.stderr)
        step = rows // PARTS
        result["outbox_mb"] = await size(connection, "outbox")
        quiet, busy, parts = [], [], []
        for _ in range(3):
            quiet.append(await writing(pool, "outbox", 8))
            parts.append(await writing(pool, "outbox_parts", 8))
        result["writing"], result["writing_partitioned"] = quiet, parts
        wal = await connection.fetchval("SELECT pg_current_wal_lsn()")
        times = await pruned(connection, 0, step)
        result["delete"] = {
            "rows": step,
            "seconds": round(sum(times), 2),
            "longest_batch_ms": round(1000 * max(times), 1),
            "wal_mb": int(await connection.fetchval("SELECT pg_current_wal_lsn() - $1::pg_lsn", wal)) >> 20,
            "vacuum_s": round(await took(connection.execute("VACUUM outbox")), 2),
        }
        result["drop_partition_s"] = round(await took(connection.execute("DROP TABLE part_0")), 3)
        for turn in (1, 2, 3):
            deleting = asyncio.create_task(_deleting(pool, turn * step, (turn + 1) * step))
            busy.append(await writing(pool, "outbox", 8))
            await deleting
        result["writing_while_deleting"] = busy
        sizes = [await size(connection, "outbox")]
        for turn in (4, 5, 6):
            await connection.execute("VACUUM outbox")
            await connection.execute(
                "INSERT INTO outbox (event_id, type, subject, envelope, published_at) SELECT gen_random_uuid()::text,"
                f" 't', 's', decode(repeat(md5(n::text), 25), 'hex'), now() FROM generate_series(1, {step}) n"
            )
            await pruned(connection, turn * step, (turn + 1) * step)
            sizes.append(await size(connection, "outbox"))
        result["size_over_turns_mb"] = sizes
        take = "SELECT seq FROM {} WHERE published_at IS NULL ORDER BY seq LIMIT 1 FOR UPDATE SKIP LOCKED"
        for table in ("outbox", "outbox_parts"):
            await connection.execute(f"UPDATE {table} SET published_at = now() WHERE published_at IS NULL")
            await connection.execute(f"VACUUM ANALYZE {table}")
            result[f"take_{table}_ms"] = await median_ms(lambda table=table: connection.fetch(take.format(table)))
        result |= await history_reads(connection, rows // 5)
    await pool.close()
    return result


async def _deleting(pool: asyncpg.Pool, first: int, last: int) -> None:
    async with pool.acquire() as connection:
        await pruned(connection, first, last, pause=0.05)


def main() -> None:
    """Measure on a server of its own."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
    with (
        tempfile.TemporaryDirectory(prefix="consilium-bench-") as folder,
        embedded_postgres(Path(folder) / "data", settings=SETTINGS) as url,
    ):
        print(json.dumps(asyncio.run(measured(url, rows)), indent=1))


if __name__ == "__main__":
    main()
