"""create: the server gives the id (http://hl7.org/fhir/R4/http.html#create); conditional with If-None-Exist."""

from shared.engine import Engine
from shared.fhir.http import Request, Response, body_resource
from shared.fhir.interactions.conditional import existing
from shared.fhir.interactions.writing import written
from shared.unit_of_work import UnitOfWork, unit_of_work


async def create(engine: Engine, request: Request) -> Response:
    """201 with the new resource; 200 with the one that If-None-Exist found; 412 where it found several."""
    async with unit_of_work(engine, request.caller, provenance=request.provenance) as work:
        response = await stage(work, request)
        await work.commit()
    return response


async def stage(work: UnitOfWork, request: Request, *, id: str | None = None) -> Response:
    """The same inside ``work``."""
    (type_,) = request.path
    work.engine.kinds.kind(type_)
    resource = body_resource(request, type_)
    criteria = request.headers.get("if-none-exist")
    if criteria is not None:
        found = await existing(work, type_, criteria, base=request.base)
        if found is not None:
            return written(request, found, created=False)
    return written(request, await work.create(resource, id=id), created=True)
