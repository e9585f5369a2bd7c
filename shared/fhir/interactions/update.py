"""update, also as create (http://hl7.org/fhir/R4/http.html#update), guarded by If-Match (#concurrency).

With criteria in place of an id it is a conditional update (http://hl7.org/fhir/R4/http.html#cond-update).
"""

from dataclasses import replace

from shared.engine import Engine
from shared.errors import Conflict, Invalid, PreconditionFailed
from shared.fhir.http import Request, Response, body_resource, legal_id
from shared.fhir.interactions.conditional import existing, hold, id_for, require_free
from shared.fhir.interactions.guards import require_if_match
from shared.fhir.interactions.stale import require_unchanged
from shared.fhir.interactions.writing import written
from shared.unit_of_work import UnitOfWork, unit_of_work


async def update(engine: Engine, request: Request) -> Response:
    """200 with the new version, 201 where the id was new; 412 for a stale If-Match (see ``stale``), 428 for a demanded
    one."""
    async with unit_of_work(engine, request.caller, provenance=request.provenance) as work:
        response = await stage(work, request if len(request.path) > 1 else await _found(work, request))
        try:
            await work.commit()
        except Conflict as error:
            if "if-none-match" in request.headers:
                # nobody had it when we looked, and somebody has it now
                raise PreconditionFailed("The resource exists already.") from error
            raise
    return response


async def stage(work: UnitOfWork, request: Request) -> Response:
    """The same inside ``work``, by id."""
    type_, id_ = request.path
    work.engine.kinds.kind(type_)
    if not legal_id(id_):
        raise Invalid("The id in the URL is not a FHIR id.", code="value")
    resource = body_resource(request, type_)
    if resource.get("id") != id_:
        raise Invalid("The body's id is not the id in the URL.", code="invalid", expression=(f"{type_}.id",))
    stored = await work.load(type_, id_)
    await require_unchanged(work, request, stored, lambda base: resource)
    require_if_match(work, request, stored)
    return written(request, await work.update(resource), created=stored is None or stored.deleted)


async def _found(work: UnitOfWork, request: Request) -> Request:
    """The request by id that stands for one by criteria. Raises ``PreconditionFailed``, ``Invalid``, ``Conflict``."""
    (type_,) = request.path
    work.engine.kinds.kind(type_)
    resource = body_resource(request, type_)
    found = await existing(work, type_, request.query, base=request.base)
    id_ = id_for(work, found, resource)
    if found is not None:
        await hold(work, [found], type_, request.query, base=request.base)
    elif "id" in resource:
        await require_free(work, type_, id_)
    return replace(request, path=(type_, id_), query="", resource=resource | {"id": id_})
