"""One turn at an export: part by part, each committed with the place up to which it came.

A part reads a page of rows as of the job's snapshot, compresses the stored bytes and appends them to the files. What is
in memory is one page. Files end at ``FILE_LINES`` or ``FILE_BYTES``, so that a client can fetch several side by side.
"""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import timedelta

import msgspec

from shared.engine import Engine
from shared.fhir.bulk import selecting
from shared.fhir.bulk.asked import decode
from shared.fhir.json import dumps
from shared.store import job_files, jobs
from shared.store.job_files import Chunk, File, Tail
from shared.store.jobs import Job

FILE_LINES, FILE_BYTES = 50_000, 256 * 1024 * 1024
DELETED = 0
"""The number of the file of deletions."""
OUTPUT, GONE = "output", "deleted"


@dataclass(slots=True)
class Place:
    """How far an export is: which type, up to which row; and where its files end."""

    type: int = 0
    rid: int = 0
    file: int = 1
    lines: int = 0
    """Of the file."""
    output: Tail = field(default_factory=Tail)
    gone: Tail = field(default_factory=Tail)

    def encode(self) -> bytes:
        """For the job's row."""
        return msgspec.json.encode(self)


async def export(
    engine: Engine, job: Job, holder: str, stop: asyncio.Event, *, lease: timedelta = jobs.LEASE, turn_s: float = 20.0
) -> None:
    """Work at ``job`` until it is done, lost or cancelled, for ``turn_s`` seconds or until ``stop``; then leave it.

    Raises what asyncpg raises; the next turn goes on from the last part."""
    asked, place = decode(job.asked), msgspec.json.decode(job.position, type=Place)
    access = engine.access(asked.caller)
    until = time.monotonic() + turn_s
    listed: list[int] = []
    while place.type < len(asked.types):
        if stop.is_set() or time.monotonic() > until:
            await jobs.leave(engine.pool, job.id, holder)
            return
        type_ = asked.types[place.type]
        if not listed:
            listed = await selecting.candidates(engine.pool, asked, job.at, type_, place.rid)
        if not listed:
            _next_type(place)
            continue
        page = await selecting.page(engine.pool, asked, job.at, job.snapshot, type_, listed, access)
        listed = [rid for rid in listed[: selecting.PAGE] if rid > page.rid] + listed[selecting.PAGE :]
        place.rid = page.rid
        if not await _store(engine, job, holder, place, type_, page, lease):
            return
    await jobs.finish(engine.pool, job.id, holder)


def _next_type(place: Place) -> None:
    place.type, place.rid = place.type + 1, 0
    if place.lines:
        _next_file(place)


def _next_file(place: Place) -> None:
    place.file, place.lines, place.output = place.file + 1, 0, Tail()


async def _store(
    engine: Engine, job: Job, holder: str, place: Place, type_: str, page: selecting.Page, lease: timedelta
) -> bool:
    """Commit a part; False where the job is no longer this holder's, and nothing was."""
    kept = [found.body for found in page.found if not found.deleted]
    gone = [_deletion(type_, found.id) for found in page.found if found.deleted]
    stored: list[tuple[File, Chunk]] = []
    if kept:
        chunk = await _packed(kept, place.output)
        stored.append((File(place.file, OUTPUT, type_, len(kept)), chunk))
        place.output, place.lines = chunk.tail, place.lines + len(kept)
        if place.lines >= FILE_LINES or place.output.size >= FILE_BYTES:
            _next_file(place)
    if gone:
        chunk = await _packed(gone, place.gone)
        stored.append((File(DELETED, GONE, "Bundle", len(gone)), chunk))
        place.gone = chunk.tail
    async with engine.pool.acquire() as connection, connection.transaction():
        # a part that a crash undoes is done again: nobody needs to wait for the disk
        await connection.execute("SET LOCAL synchronous_commit = off")
        if not await jobs.advance(connection, job.id, holder, place.encode(), place.type, lease):
            return False
        for file, chunk in stored:
            await job_files.append(connection, job.id, file, chunk)
    return True


async def _packed(lines: list[bytes], tail: Tail) -> Chunk:
    # beside the event loop: zlib lets others run meanwhile
    return await asyncio.to_thread(job_files.packed, b"\n".join(lines) + b"\n", tail)


def _deletion(type_: str, id_: str) -> bytes:
    """http://hl7.org/fhir/uv/bulkdata/STU2/export.html#response---complete-status: a Bundle that deletes it."""
    request = {"method": "DELETE", "url": f"{type_}/{id_}"}
    return dumps({"resourceType": "Bundle", "type": "transaction", "entry": [{"request": request}]})
