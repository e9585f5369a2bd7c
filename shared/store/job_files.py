"""The files of jobs: lines in compressed chunks, in PostgreSQL where every process can read them.

A chunk is whole lines, deflated so that the chunks of a file behind each other are one stream (RFC 1951): what a client
that takes gzip gets is a head, the chunks as they are stored, and the sum of all (RFC 1952). Members of a gzip file of
its own would be simpler, but several HTTP clients silently stop after the first.
"""

import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from shared.store.database import Connection, Pool
from shared.store.sweeping import Batch

SWEPT_AT_ONCE = 200
"""Chunks."""
_LEVEL = 1
"""Four times as fast as zlib's default on FHIR JSON, and a fifth larger."""
_HEAD = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
_END = b"\x03\0"
"""An empty last block."""


@dataclass(frozen=True, slots=True)
class File:
    """One file. ``role`` says what it is for, ``type`` what is in it, ``count`` how many lines it has."""

    number: int
    role: str
    type: str
    count: int


@dataclass(frozen=True, slots=True)
class Tail:
    """Where a file ends until now: its chunks, and checksum and size of what is in them."""

    chunks: int = 0
    crc: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True)
class Chunk:
    """The next chunk of a file, and the tail that it makes."""

    data: bytes
    tail: Tail


def packed(text: bytes, tail: Tail) -> Chunk:
    """``text``, whole lines, as the chunk behind ``tail``. Other threads run meanwhile."""
    deflating = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    data = deflating.compress(text) + deflating.flush(zlib.Z_FULL_FLUSH)
    return Chunk(data, Tail(tail.chunks + 1, zlib.crc32(text, tail.crc), tail.size + len(text)))


async def append(connection: Connection | Pool, job: str, file: File, chunk: Chunk) -> None:
    """Add ``chunk``, of ``file.count`` lines."""
    await connection.execute(
        "WITH chunk AS (INSERT INTO bulk_chunk (job, number, seq, data, crc, size) VALUES ($1, $2, $6, $7, $8, $9))"
        " INSERT INTO bulk_file AS f (job, number, role, type, count) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (job, number) DO UPDATE SET count = f.count + excluded.count",
        job,
        file.number,
        file.role,
        file.type,
        file.count,
        chunk.tail.chunks - 1,
        chunk.data,
        chunk.tail.crc,
        chunk.tail.size,
    )


async def drop(connection: Connection, job: str, first: int) -> None:
    """Delete the files of ``job`` from number ``first`` on."""
    for table in ("bulk_chunk", "bulk_file"):
        await connection.execute(f"DELETE FROM {table} WHERE job = $1 AND number >= $2", job, first)


async def listed(pool: Pool, job: str) -> list[File]:
    """The files of ``job``, in order."""
    rows = await pool.fetch("SELECT number, role, type, count FROM bulk_file WHERE job = $1 ORDER BY number", job)
    return [File(*row) for row in rows]


async def text(pool: Pool | Connection, job: str, number: int, seq: int) -> bytes | None:
    """The lines of one chunk; None where there is none."""
    data: bytes | None = await pool.fetchval(
        "SELECT data FROM bulk_chunk WHERE job = $1 AND number = $2 AND seq = $3", job, number, seq
    )
    return None if data is None else _inflated(data)


async def texts(pool: Pool, job: str, number: int) -> AsyncIterator[bytes]:
    """The lines of a file, a chunk at a time. Raises ``LookupError`` where it vanishes on the way."""
    async for data, _, _ in _chunks(pool, job, number):
        yield _inflated(data)


async def gzipped(pool: Pool, job: str, number: int) -> AsyncIterator[bytes]:
    """The file as gzip, a chunk at a time. Raises ``LookupError`` where it vanishes on the way."""
    yield _HEAD
    crc = size = 0
    async for data, crc, size in _chunks(pool, job, number):  # noqa: B007  the last ones count
        yield data
    yield _END + struct.pack("<II", crc, size & 0xFFFFFFFF)


async def _chunks(pool: Pool, job: str, number: int) -> AsyncIterator[tuple[bytes, int, int]]:
    count: int = await pool.fetchval("SELECT count(*) FROM bulk_chunk WHERE job = $1 AND number = $2", job, number)
    for seq in range(count):
        row = await pool.fetchrow(
            "SELECT data, crc, size FROM bulk_chunk WHERE job = $1 AND number = $2 AND seq = $3", job, number, seq
        )
        if row is None:
            raise LookupError("the file was deleted")
        yield row[0], row[1], row[2]


def _inflated(data: bytes) -> bytes:
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data)


_EXPIRED = (
    "SELECT 1 FROM bulk_job j WHERE j.id = c.job AND j.expires_at > clock_timestamp() AND j.status <> 'cancelled'"
)
_SWEEP_CHUNKS = f"""
WITH gone AS (DELETE FROM bulk_chunk WHERE ctid = ANY (ARRAY(
    SELECT c.ctid FROM bulk_chunk c WHERE NOT EXISTS ({_EXPIRED}) LIMIT $1)) RETURNING 1)
SELECT count(*) FROM gone
"""
_SWEEP_FILES = f"""
WITH gone AS (DELETE FROM bulk_file c WHERE NOT EXISTS ({_EXPIRED}) RETURNING 1) SELECT count(*) FROM gone
"""
_FAIL = "UPDATE bulk_job SET status = 'failed' WHERE status = 'running' AND expires_at <= clock_timestamp()"
_FORGET = "WITH gone AS (DELETE FROM bulk_job WHERE at < now() - $1::interval RETURNING 1) SELECT count(*) FROM gone"


def expiring(remembered: timedelta) -> Callable[[Connection, int], Awaitable[Batch]]:
    """A step that deletes the files of jobs that have expired, and forgets the jobs themselves after ``remembered``."""

    async def step(connection: Connection, position: int) -> Batch:
        await connection.execute(_FAIL)
        deleted: int = await connection.fetchval(_SWEEP_CHUNKS, SWEPT_AT_ONCE)
        if deleted == SWEPT_AT_ONCE:
            return Batch(deleted, position + 1)
        deleted += await connection.fetchval(_SWEEP_FILES)
        return Batch(deleted + await connection.fetchval(_FORGET, remembered), None)

    return step
