"""Kick-off of an import: the NDJSON in the request's body becomes a job, in chunks as it arrives.

The body is the data: a server that fetched URLs which a client names could be sent anywhere.
"""

import asyncio
from collections.abc import AsyncIterator

from shared.engine import Engine
from shared.errors import Invalid, UnsupportedMediaType
from shared.fhir.bulk.importing import INPUT, Line, Place, Source, encode
from shared.fhir.bulk.kick_off import FORMATS, NDJSON
from shared.fhir.bulk.lines import lines
from shared.fhir.bulk.settings import BulkSettings
from shared.fhir.bulk.starting import started
from shared.fhir.http import Request, Response
from shared.security.claims import claims_of
from shared.store import job_files, jobs
from shared.store.job_files import File, Tail

IMPORT, IMPORTS = "import", "bulk-import"
CHUNK_LINES, CHUNK_BYTES = 200, 4 * 1024 * 1024
"""Lines and bytes that are written in one transaction; the line that passes the limit is still taken."""
LONGEST_LINE = 16 * 1024 * 1024


async def receive(engine: Engine, request: Request) -> Response:
    """202 with the URL of the status, when the whole body is stored.

    Raises ``Invalid``, ``UnsupportedMediaType``, ``TooLarge``, ``TooSlow``; then nothing is left of it."""
    if request.prefer("respond-async") is None:
        raise Invalid("An import is asynchronous: send Prefer: respond-async.", code="required")
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media not in FORMATS:
        raise UnsupportedMediaType(f"Send {NDJSON}.")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise UnsupportedMediaType("Send the NDJSON as it is, not compressed.")
    settings = BulkSettings()
    one = await started(engine, request, settings)
    path = "/".join(request.path) if one.part is None else one.part.request
    source = Source(f"{request.base}/{path}", str(request.base), dict(claims_of(request.caller)))
    await jobs.add(
        engine.pool,
        id=one.id,
        kind=IMPORT,
        subject=request.caller.subject,
        asked=encode(source),
        at=one.at,
        position=Place().encode(),
        total=0,
        expires_at=engine.clock() + settings.kept,
        receiving=True,
    )
    whole = False
    try:
        total = await _keep(engine, one.id, request, settings)
        whole = await jobs.received(engine.pool, one.id, total)
    finally:
        if not whole:
            await asyncio.shield(jobs.cancel(engine.pool, one.id, IMPORT, request.caller.subject))
    return Response(202, headers=((b"content-location", f"{request.base}/{IMPORTS}/{one.id}".encode()),))


async def _keep(engine: Engine, job: str, request: Request, settings: BulkSettings) -> int:
    """Store the lines that are not empty, with their numbers; how many there are."""
    assert request.stream is not None
    held: list[bytes] = []
    number = total = size = 0
    tail = Tail()
    async for line in lines(request.stream, longest=LONGEST_LINE, most_bytes=settings.bulk_import_max_bytes):
        number += 1
        if not line.strip():
            continue
        held.append(Line(number, line).kept())
        size += len(line)
        if len(held) == CHUNK_LINES or size >= CHUNK_BYTES:
            tail = await _append(engine, job, held, tail)
            total += len(held)
            held, size = [], 0
    if held:
        await _append(engine, job, held, tail)
    return total + len(held)


async def _append(engine: Engine, job: str, held: list[bytes], tail: Tail) -> Tail:
    chunk = await asyncio.to_thread(job_files.packed, b"\n".join(held) + b"\n", tail)
    await job_files.append(engine.pool, job, File(INPUT, "input", "", len(held)), chunk)
    return chunk.tail


async def no_body() -> AsyncIterator[bytes]:
    """The stream of a request that has none."""
    return
    yield b""
