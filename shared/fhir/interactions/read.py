"""read: the current version, as stored (http://hl7.org/fhir/R4/http.html#read)."""

from shared.engine import Engine
from shared.fhir.http import Request, Response, etag, if_none_match, last_modified
from shared.unit_of_work import current


async def read(engine: Engine, request: Request) -> Response:
    """200 with the stored bytes, 304 when If-None-Match names the current version, 404, or 410 after a deletion."""
    type_, id_ = request.path
    stored = await current(engine, type_, id_)
    headers = (etag(stored.version), last_modified(stored.last_updated))
    if "if-none-match" in request.headers and if_none_match(request) == stored.version:
        return Response(304, b"", headers)
    return Response(200, stored.body, headers)
