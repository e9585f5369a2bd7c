"""vread: one version, past or current (http://hl7.org/fhir/R4/http.html#vread)."""

from shared.engine import Engine
from shared.errors import Gone, NotFound
from shared.fhir.http import Request, Response, etag, last_modified
from shared.fhir.search.access import condition
from shared.fhir.subset import shown, subset_asked
from shared.store import resources


async def vread(engine: Engine, request: Request) -> Response:
    """200 with that version's bytes, 404 where there is none, 410 where that version is the deletion.

    ``_summary`` and ``_elements`` give a part of it."""
    type_, id_, _, version = request.path
    engine.kinds.kind(type_)
    subset = subset_asked(type_, request.parameters) if request.query else None
    if not version.isascii() or not version.isdigit() or len(version) > 9:
        raise NotFound("No such version.")
    seen = condition(engine.access(request.caller), (type_,))
    past = await resources.vread(engine.pool, type_, id_, int(version), seen=seen)
    if past is None:
        raise NotFound("No such version.")
    if past.stored.deleted:
        raise Gone("This version is the deletion.")
    body = shown(subset, type_, past.stored.body)
    return Response(200, body, (etag(past.stored.version), last_modified(past.stored.last_updated)))
