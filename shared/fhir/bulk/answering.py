"""Status, manifest and files of an export or import, and its end (http://hl7.org/fhir/uv/bulkdata/STU2/export.html).

Only who started a job hears of it: to others it does not exist.
"""

import re
from email.utils import format_datetime
from typing import Any

from shared.clock import instant
from shared.engine import Engine
from shared.errors import Issue, NotAllowed, NotFound
from shared.fhir.bulk import importing
from shared.fhir.bulk.asked import decode
from shared.fhir.bulk.exporting import GONE, OUTPUT
from shared.fhir.bulk.kick_off import NDJSON
from shared.fhir.bulk.part import is_job_id
from shared.fhir.bulk.receiving import IMPORT
from shared.fhir.bulk.starting import EXPORT
from shared.fhir.http import Request, Response
from shared.fhir.json import Resource, dumps
from shared.fhir.outcome import outcome
from shared.store import job_files, jobs
from shared.store.job_files import File
from shared.store.jobs import Job, Status

ROOMS = {f"bulk-{EXPORT}": EXPORT, f"bulk-{IMPORT}": IMPORT}
ERROR, INPUT = "error", "input"
MANIFEST = b"application/json"
RETRY_S, RETRY_LATER_S = 1, 10
"""Seconds after which a client may ask again: at first, and when it has waited for so long."""
_FILE = re.compile(r"([a-z]+)-([0-9]{1,9})\.ndjson")
_GONE = "There is no such job, or it has ended."


async def answered(engine: Engine, request: Request) -> Response:
    """What is below ``/bulk-export`` and ``/bulk-import``: status (GET), its end (DELETE), a file.

    Raises ``NotFound``, ``NotAllowed``."""
    kind = ROOMS[request.path[0]]
    method = "GET" if request.method == "HEAD" else request.method
    match method, request.path:
        case "GET", (_, id_):
            return await _status(engine, request, await mine(engine, request, id_, kind))
        case "GET", (_, id_, name):
            await mine(engine, request, id_, kind)
            return await _file(engine, request, id_, name)
        case "DELETE", (_, id_):
            if not (is_job_id(id_) and await jobs.cancel(engine.pool, id_, kind, request.caller.subject)):
                raise NotFound(_GONE)
            return Response(202, dumps(outcome([Issue("informational", "Cancelled.", severity="information")])))
        case _, (_, _):
            raise NotAllowed("A job is asked for, or deleted.", methods=("GET", "HEAD", "DELETE"))
        case _, (_, _, _):
            raise NotAllowed("A file can only be read.", methods=("GET", "HEAD"))
    raise NotFound("There is nothing at this address.")


async def mine(engine: Engine, request: Request, id_: str, kind: str) -> Job:
    """The caller's job. Raises ``NotFound``."""
    # what is no id is not asked for: PostgreSQL takes no NUL in a text
    job = await jobs.find(engine.pool, id_, kind, request.caller.subject) if is_job_id(id_) else None
    if job is None:
        raise NotFound(_GONE)
    return job


async def _status(engine: Engine, request: Request, job: Job) -> Response:
    if job.status is not Status.DONE:
        return _unfinished(engine, job)
    files = await job_files.listed(engine.pool, job.id)
    expires = format_datetime(job.expires_at, usegmt=True).encode()
    return Response(200, dumps(_manifest(engine, request, job, files)), ((b"expires", expires),), media=MANIFEST)


def _unfinished(engine: Engine, job: Job) -> Response:
    """202 with how far it is, or 500 for a job that was given up."""
    if job.status is Status.FAILED:
        issue = Issue("exception", "The job was given up after several attempts; it was logged.", severity="fatal")
        return Response(500, dumps(outcome([issue])))
    waited = (engine.clock() - job.at).total_seconds()
    retry = RETRY_S if waited < RETRY_LATER_S else RETRY_LATER_S
    progress = f"{job.done} of {job.total} {'types' if job.kind == EXPORT else 'lines'}"
    return Response(202, headers=((b"x-progress", progress.encode()), (b"retry-after", str(retry).encode())))


def _manifest(engine: Engine, request: Request, job: Job, files: list[File]) -> Resource:
    room = f"bulk-{job.kind}"

    def told(role: str) -> list[dict[str, Any]]:
        return [
            {"type": file.type, "url": _file_url(engine, request, f"{room}/{job.id}", file.number), "count": file.count}
            for file in files
            if file.role == role
        ]

    manifest: Resource = {
        "transactionTime": instant(job.at),
        "request": importing.decode(job.asked).request if job.kind == IMPORT else decode(job.asked).request,
        "requiresAccessToken": True,
        "output": told(OUTPUT),
        "error": told(ERROR),
    }
    since = job.kind == EXPORT and decode(job.asked).since is not None
    return manifest | {"deleted": told(GONE)} if since else manifest


def _file_url(engine: Engine, request: Request, path: str, number: int) -> str:
    """Where a file is. Its name begins with the service that has it: the gateway asks there."""
    return f"{request.base}/{path}/{engine.service}-{number}.ndjson"


async def _file(engine: Engine, request: Request, id_: str, name: str) -> Response:
    """200 with the lines of a file, streamed; as they are stored where the client takes gzip. Raises ``NotFound``."""
    match = _FILE.fullmatch(name)
    files = {file.number for file in await job_files.listed(engine.pool, id_) if file.role != INPUT}
    if match is None or match[1] != engine.service or int(match[2]) not in files:
        raise NotFound("There is no such file.")
    packed = "gzip" in request.headers.get("accept-encoding", "")
    read = job_files.gzipped if packed else job_files.texts
    parts = read(engine.pool, id_, int(match[2]))
    headers = ((b"content-encoding", b"gzip"),) if packed else ()
    return Response(200, headers=(*headers, (b"vary", b"accept-encoding")), media=NDJSON.encode(), parts=parts)
