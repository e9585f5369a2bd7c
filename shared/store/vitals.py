"""How a database is, as it says itself (https://www.postgresql.org/docs/current/monitoring-stats.html)."""

from datetime import UTC, datetime

from shared.store.database import Pool
from shared.telemetry import measures
from shared.telemetry.pools import name_of

_VITALS = """
SELECT pg_database_size(d.datname) AS size, d.numbackends AS connections, d.xact_commit, d.xact_rollback, d.deadlocks,
    d.blks_hit, d.blks_read, current_setting('max_connections')::int AS most, clock_timestamp() AS now,
    (SELECT coalesce(max(extract(epoch FROM clock_timestamp() - a.xact_start)), 0)::float FROM pg_stat_activity a
     WHERE a.datname = d.datname) AS oldest,
    (SELECT coalesce(max(extract(epoch FROM clock_timestamp() - p.prepared)), 0)::float FROM pg_prepared_xacts p
     WHERE p.database = d.datname) AS prepared,
    coalesce((SELECT extract(epoch FROM clock_timestamp() - coalesce(r.last_archived_time, r.stats_reset))
     FROM pg_stat_archiver r WHERE r.last_failed_time > coalesce(r.last_archived_time, '-infinity')
     AND current_setting('archive_mode') <> 'off'), 0)::float AS unarchived
FROM pg_stat_database d WHERE d.datname = current_database()
"""
"""``oldest`` counts the transactions that this role may see: its own, or all for a member of pg_read_all_stats.
``unarchived`` is the whole server's, the same in each of its databases."""


async def measure(pool: Pool) -> None:
    """Ask the database of ``pool`` and tell the instruments. Raises what asyncpg raises."""
    name, asked = name_of(pool), datetime.now(UTC)
    row = await pool.fetchrow(_VITALS)
    if row is None:
        return
    # the answer was made somewhere between asking and hearing
    between = asked + (datetime.now(UTC) - asked) / 2
    measures.DATABASE_SIZE.set(row["size"], name)
    measures.DATABASE_OLDEST.set(row["oldest"], name)
    measures.DATABASE_PREPARED.set(row["prepared"], name)
    measures.DATABASE_CONNECTIONS.set(row["connections"], name)
    measures.DATABASE_CONNECTIONS_MOST.set(row["most"], name)
    measures.DATABASE_ARCHIVE.set(row["unarchived"], name)
    measures.DATABASE_CLOCK.set((row["now"] - between).total_seconds(), name)
    measures.DATABASE_TRANSACTIONS.set(row["xact_commit"], name, "committed")
    measures.DATABASE_TRANSACTIONS.set(row["xact_rollback"], name, "rolled-back")
    measures.DATABASE_DEADLOCKS.set(row["deadlocks"], name)
    measures.DATABASE_BLOCKS.set(row["blks_hit"], name, "memory")
    measures.DATABASE_BLOCKS.set(row["blks_read"], name, "disk")
