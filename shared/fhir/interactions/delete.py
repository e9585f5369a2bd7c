"""delete: history stays (http://hl7.org/fhir/R4/http.html#delete).

With criteria in place of an id it is a conditional delete (http://hl7.org/fhir/R4/http.html#2.1.0.13.1).
"""

from shared.engine import Engine
from shared.errors import Invalid
from shared.fhir.http import Request, Response, etag
from shared.fhir.interactions.conditional import MOST_DELETED, hold, matching
from shared.fhir.interactions.guards import require_match
from shared.fhir.outcome import ALL_WELL
from shared.store.resources import Stored
from shared.unit_of_work import UnitOfWork, unit_of_work


async def delete(engine: Engine, request: Request) -> Response:
    """204, also where there is nothing to delete; 409 where another resource still refers to it.

    By criteria that several match: 412, unless operators let it delete them all (``CONSILIUM_CONDITIONAL_DELETE``)."""
    async with unit_of_work(engine, request.caller, provenance=request.provenance) as work:
        if len(request.path) > 1:
            response = await stage(work, request)
        else:
            found = await found_by(work, request)
            await hold(work, found, request.path[0], request.query, base=request.base, to_delete=True)
            response = await stage_all(work, request, found)
        await work.commit()
    return response


async def stage(work: UnitOfWork, request: Request) -> Response:
    """The same inside ``work``, by id."""
    type_, id_ = request.path
    work.engine.kinds.kind(type_)
    require_match(request, await work.load(type_, id_, to_delete=True))
    gone = await work.delete(type_, id_)
    return _answer(request, None if gone is None else gone.version)


async def stage_all(work: UnitOfWork, request: Request, found: list[Stored]) -> Response:
    """Delete what the criteria ``found``, which is locked. Raises ``Invalid`` for an If-Match for several."""
    if "if-match" in request.headers and len(found) > 1:
        raise Invalid("If-Match names a version of one resource; several match the criteria.", code="multiple-matches")
    if not found:
        require_match(request, None)
    last = None
    for stored in found:
        require_match(request, await work.load(stored.type, stored.id, to_delete=True))
        last = await work.delete(stored.type, stored.id)
    return _answer(request, last.version if last is not None and len(found) == 1 else None)


async def found_by(work: UnitOfWork, request: Request) -> list[Stored]:
    """What the criteria of ``request`` match, not locked. Raises ``PreconditionFailed`` where it is too much."""
    (type_,) = request.path
    work.engine.kinds.kind(type_)
    limit = MOST_DELETED if work.engine.rules.deletes_several else 1
    return await matching(work, type_, request.query, base=request.base, limit=limit)


def _answer(request: Request, version: int | None) -> Response:
    headers = () if version is None else (etag(version),)
    if (request.prefer("return") or "").lower() == "operationoutcome":
        return Response(200, ALL_WELL, headers)
    return Response(204, b"", headers)
