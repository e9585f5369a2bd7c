"""Jobs of bulk data in PostgreSQL: any worker takes up any job, and goes on where the one before it was.

Who works a job holds a lease, renewed with every part; a part and how far it came are committed together. Whoever is
killed leaves its place, and another goes on from there when the lease has ended. A worker that lost its lease, or whose
job was cancelled, finds out by its next part, which is undone.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import asyncpg

from shared.store.database import Connection, Pool

LEASE = timedelta(seconds=60)
"""Much longer than a part takes."""
RECEIVED_WITHIN = timedelta(hours=1)
"""Whatever is still coming after that was left behind by a process that was killed."""
ATTEMPTS = 5
"""Claims without a finished part, after which a job has failed."""


class Status(StrEnum):
    """Where a job is. Only a running one changes."""

    RECEIVING = "receiving"
    """What it works at is still coming; nobody knows of it yet."""
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Job:
    """One job. ``asked`` and ``position`` are texts of those who made it."""

    id: str
    kind: str
    subject: str
    status: Status
    asked: bytes
    at: datetime
    snapshot: str
    """What was committed when the job was made, as ``pg_snapshot``."""
    position: bytes
    done: int
    total: int
    touched_at: datetime
    expires_at: datetime


_COLUMNS = "id, kind, subject, status, asked, at, snapshot, position, done, total, touched_at, expires_at"
_ADD = f"""
INSERT INTO bulk_job ({_COLUMNS}, attempts)
VALUES ($1, $2, $3, $9, $4, $5, pg_current_snapshot()::text, $6, 0, $7, clock_timestamp(), $8, 0)
ON CONFLICT (id) DO NOTHING RETURNING true
"""
# what lies further ahead than we ever write it was written while the clock was wrong
_CLAIM = f"""
WITH next AS (
    SELECT id FROM bulk_job WHERE status = 'running' AND (lease_until IS NULL OR lease_until < clock_timestamp()
        OR lease_until > clock_timestamp() + 2 * $2::interval)
    ORDER BY touched_at LIMIT 1 FOR UPDATE SKIP LOCKED)
UPDATE bulk_job j SET holder = $1, lease_until = clock_timestamp() + $2::interval, attempts = attempts + 1,
    status = CASE WHEN attempts >= $3 THEN 'failed' ELSE status END, touched_at = clock_timestamp()
FROM next WHERE j.id = next.id RETURNING {", ".join("j." + name for name in _COLUMNS.split(", "))}
"""
_ADVANCE = """
UPDATE bulk_job SET position = $3, done = $4, attempts = 0, lease_until = clock_timestamp() + $5::interval
WHERE id = $1 AND holder = $2 AND status = 'running' RETURNING true
"""
_FINISH = """
UPDATE bulk_job SET status = 'done', done = total, holder = NULL, lease_until = NULL, touched_at = clock_timestamp()
WHERE id = $1 AND holder = $2 AND status = 'running' RETURNING true
"""
_LEAVE = """
UPDATE bulk_job SET holder = NULL, lease_until = NULL, touched_at = clock_timestamp()
WHERE id = $1 AND holder = $2 AND status = 'running'
"""
_CANCEL = """
UPDATE bulk_job SET status = 'cancelled', holder = NULL, lease_until = NULL, touched_at = clock_timestamp()
WHERE id = $1 AND kind = $2 AND subject = $3 AND status <> 'cancelled' AND expires_at > clock_timestamp() RETURNING true
"""


async def add(
    pool: Pool | Connection,
    *,
    id: str,
    kind: str,
    subject: str,
    asked: bytes,
    at: datetime,
    position: bytes,
    total: int,
    expires_at: datetime,
    receiving: bool = False,
) -> bool:
    """Make a job that is to run, at once or when it was ``received``; False where there is one of this id."""
    status = Status.RECEIVING if receiving else Status.RUNNING
    made = await pool.fetchval(_ADD, id, kind, subject, asked, at, position, total, expires_at, status.value)
    return made is not None


async def received(pool: Pool, id_: str, total: int) -> bool:
    """Let it run, with ``total`` steps before it; False where it was cancelled meanwhile."""
    answer = await pool.fetchval(
        "UPDATE bulk_job SET status = 'running', total = $2, touched_at = clock_timestamp()"
        " WHERE id = $1 AND status = 'receiving' RETURNING true",
        id_,
        total,
    )
    return answer is not None


async def find(pool: Pool, id_: str, kind: str, subject: str) -> Job | None:
    """The job of ``subject``, unless it was cancelled or has expired. Those of others are as if they were not."""
    row = await pool.fetchrow(
        f"SELECT {_COLUMNS} FROM bulk_job WHERE id = $1 AND kind = $2 AND subject = $3 AND status <> 'cancelled'"
        " AND expires_at > clock_timestamp()",
        id_,
        kind,
        subject,
    )
    return None if row is None else _job(row)


async def running(pool: Pool, subject: str) -> int:
    """How many jobs of ``subject`` are not finished."""
    answer: int = await pool.fetchval(
        "SELECT count(*) FROM bulk_job WHERE subject = $1 AND expires_at > clock_timestamp() AND (status = 'running'"
        " OR status = 'receiving' AND touched_at > clock_timestamp() - $2::interval)",
        subject,
        RECEIVED_WITHIN,
    )
    return answer


async def snapshot_at(pool: Pool, at: datetime) -> str | None:
    """What a job that was made ``at`` this very moment saw; None where there was none, or nobody knows any more."""
    answer: str | None = await pool.fetchval("SELECT snapshot FROM bulk_job WHERE at = $1 LIMIT 1", at)
    return answer


async def claim(pool: Pool, holder: str, lease: timedelta = LEASE) -> Job | None:
    """Take the job that waited longest; ``holder`` names who works it. None: there is nothing to do.

    A job that was claimed in vain too often comes back as failed: there is nothing to do for it."""
    row = await pool.fetchrow(_CLAIM, holder, lease, ATTEMPTS)
    return None if row is None else _job(row)


async def advance(
    connection: Connection, id_: str, holder: str, position: bytes, done: int, lease: timedelta = LEASE
) -> bool:
    """In the transaction of a part: how far it comes. False: it is no longer this holder's, and must be undone."""
    return await connection.fetchval(_ADVANCE, id_, holder, position, done, lease) is not None


async def finish(pool: Pool | Connection, id_: str, holder: str) -> bool:
    """All is done. False: it is no longer this holder's."""
    return await pool.fetchval(_FINISH, id_, holder) is not None


async def leave(pool: Pool, id_: str, holder: str) -> None:
    """Let others go on with it, behind those that wait."""
    await pool.execute(_LEAVE, id_, holder)


async def cancel(pool: Pool, id_: str, kind: str, subject: str) -> bool:
    """End the job of ``subject`` at once and delete its files; False where there is none."""
    async with pool.acquire() as connection, connection.transaction():
        # whoever is writing a part holds the row until that is committed: the files are looked for after it
        if await connection.fetchval(_CANCEL, id_, kind, subject) is None:
            return False
        for table in ("bulk_chunk", "bulk_file"):
            await connection.execute(f"DELETE FROM {table} WHERE job = $1", id_)
    return True


def _job(row: asyncpg.Record) -> Job:
    return Job(row[0], row[1], row[2], Status(row[3]), *row[4:])
