"""Status, manifest and files of an export, and its end (http://hl7.org/fhir/uv/bulkdata/STU2/export.html).

Only who started a job hears of it: to others it does not exist.
"""

import re
from email.utils import format_datetime
from typing import Any

from shared.clock import instant
from shared.engine import Engine
from shared.errors import Issue, NotAllowed, NotFound
from shared.fhir.bulk.asked import decode
from shared.fhir.bulk.exporting import GONE, OUTPUT
from shared.fhir.bulk.kick_off import NDJSON
from shared.fhir.bulk.starting import EXPORT
from shared.fhir.http import Request, Response
from shared.fhir.json import Resource, dumps
from shared.fhir.outcome import outcome
from shared.store import job_files, jobs
from shared.store.job_files import File
from shared.store.jobs import Job, Status

EXPORTS = "bulk-export"
MANIFEST = b"application/json"
RETRY_S, RETRY_LATER_S = 1, 10
"""Seconds after which a client may ask again: at first, and when it has waited for so long."""
_FILE = re.compile(r"([a-z]+)-(\d{1,9})\.ndjson")
_GONE = "There is no such job, or it has ended."


async def exported(engine: Engine, request: Request) -> Response:
    """What is below ``/bulk-export``: status (GET), its end (DELETE), a file. Raises ``NotFound``, ``NotAllowed``."""
    method = "GET" if request.method == "HEAD" else request.method
    match method, request.path:
        case "GET", (_, id_):
            return await _status(engine, request, id_)
        case "GET", (_, id_, name):
            return await _file(engine, request, id_, name)
        case "DELETE", (_, id_):
            if not await jobs.cancel(engine.pool, id_, EXPORT, request.caller.subject):
                raise NotFound(_GONE)
            return Response(202, dumps(outcome([Issue("informational", "Cancelled.", severity="information")])))
        case _, (_, _):
            raise NotAllowed("A job is asked for, or deleted.", methods=("GET", "HEAD", "DELETE"))
        case _, (_, _, _):
            raise NotAllowed("A file can only be read.", methods=("GET", "HEAD"))
    raise NotFound("There is nothing at this address.")


async def mine(engine: Engine, request: Request, id_: str, kind: str) -> Job:
    """The caller's job. Raises ``NotFound``."""
    job = await jobs.find(engine.pool, id_, kind, request.caller.subject)
    if job is None:
        raise NotFound(_GONE)
    return job


async def _status(engine: Engine, request: Request, id_: str) -> Response:
    job = await mine(engine, request, id_, EXPORT)
    if job.status is not Status.DONE:
        return unfinished(engine, job, f"{job.done} of {job.total} types")
    files = await job_files.listed(engine.pool, id_)
    return finished(job, _manifest(engine, request, job, files))


def unfinished(engine: Engine, job: Job, progress: str) -> Response:
    """202 with how far it is, or 500 for a job that was given up."""
    if job.status is Status.FAILED:
        issue = Issue("exception", "The job was given up after several attempts; it was logged.", severity="fatal")
        return Response(500, dumps(outcome([issue])))
    waited = (engine.clock() - job.at).total_seconds()
    retry = RETRY_S if waited < RETRY_LATER_S else RETRY_LATER_S
    return Response(202, headers=((b"x-progress", progress.encode()), (b"retry-after", str(retry).encode())))


def finished(job: Job, manifest: Resource) -> Response:
    """200 with the manifest."""
    expires = format_datetime(job.expires_at, usegmt=True).encode()
    return Response(200, dumps(manifest), ((b"expires", expires),), media=MANIFEST)


def _manifest(engine: Engine, request: Request, job: Job, files: list[File]) -> Resource:
    asked = decode(job.asked)

    def told(role: str) -> list[dict[str, Any]]:
        return [
            {"type": file.type, "url": file_url(engine, request, EXPORTS, job.id, file.number), "count": file.count}
            for file in files
            if file.role == role
        ]

    manifest: Resource = {
        "transactionTime": instant(job.at),
        "request": asked.request,
        "requiresAccessToken": True,
        "output": told(OUTPUT),
        "error": [],
    }
    return manifest if asked.since is None else manifest | {"deleted": told(GONE)}


def file_url(engine: Engine, request: Request, room: str, job: str, number: int) -> str:
    """Where a file is. Its name begins with the service that has it: the gateway asks there."""
    return f"{request.base}/{room}/{job}/{engine.service}-{number}.ndjson"


async def _file(engine: Engine, request: Request, id_: str, name: str) -> Response:
    await mine(engine, request, id_, EXPORT)
    return await file_response(engine, request, id_, name)


async def file_response(engine: Engine, request: Request, id_: str, name: str) -> Response:
    """200 with the lines of a file, streamed; as they are stored where the client takes gzip. Raises ``NotFound``."""
    match = _FILE.fullmatch(name)
    files = {file.number for file in await job_files.listed(engine.pool, id_)}
    if match is None or match[1] != engine.service or int(match[2]) not in files:
        raise NotFound("There is no such file.")
    packed = "gzip" in request.headers.get("accept-encoding", "")
    read = job_files.gzipped if packed else job_files.texts
    parts = read(engine.pool, id_, int(match[2]))
    headers = ((b"content-encoding", b"gzip"),) if packed else ()
    return Response(200, headers=(*headers, (b"vary", b"accept-encoding")), media=NDJSON.encode(), parts=parts)
