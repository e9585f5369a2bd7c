"""delete: history stays (http://hl7.org/fhir/R4/http.html#delete)."""

from shared.engine import Engine
from shared.fhir.http import Request, Response, etag, if_match
from shared.unit_of_work import UnitOfWork, unit_of_work


async def delete(engine: Engine, request: Request) -> Response:
    """204, also where there is nothing to delete; 409 where another resource still refers to it."""
    async with unit_of_work(engine, request.caller) as work:
        response = await stage(work, request)
        await work.commit()
    return response


async def stage(work: UnitOfWork, request: Request) -> Response:
    """The same inside ``work``."""
    type_, id_ = request.path
    work.engine.kinds.kind(type_)
    gone = await work.delete(type_, id_, if_match=if_match(request))
    return Response(204, b"", () if gone is None else (etag(gone.version),))
