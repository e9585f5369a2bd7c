"""update, also as create (http://hl7.org/fhir/R4/http.html#update), guarded by If-Match (#concurrency)."""

from shared.engine import Engine
from shared.errors import Invalid, PreconditionFailed, PreconditionRequired
from shared.fhir.http import Request, Response, body_resource, if_match, legal_id
from shared.fhir.interactions.writing import written
from shared.security.caller import Role
from shared.unit_of_work import UnitOfWork, unit_of_work


async def update(engine: Engine, request: Request) -> Response:
    """200 with the new version, 201 where the id was new; 412 for a stale If-Match, 428 for a demanded one."""
    async with unit_of_work(engine, request.caller) as work:
        response = await stage(work, request)
        await work.commit()
    return response


async def stage(work: UnitOfWork, request: Request) -> Response:
    """The same inside ``work``."""
    type_, id_ = request.path
    kind = work.engine.kinds.kind(type_)
    if not legal_id(id_):
        raise Invalid("The id in the URL is not a FHIR id.", code="value")
    resource = body_resource(request, type_)
    if resource.get("id") != id_:
        raise Invalid("The body's id is not the id in the URL.", code="invalid", expression=(f"{type_}.id",))
    expected = if_match(request)
    stored = await work.load(type_, id_)
    exists = stored is not None and not stored.deleted
    if expected is None and exists and kind.if_match_required and request.caller.role is not Role.SYSTEM:
        raise PreconditionRequired("Send If-Match with the version that you have seen.")
    if exists and request.headers.get("if-none-match", "").strip() == "*":
        raise PreconditionFailed("The resource exists already.")
    return written(request, await work.update(resource, if_match=expected), created=not exists)
