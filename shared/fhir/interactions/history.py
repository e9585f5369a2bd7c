"""history of an instance, a type, the whole, newest first (http://hl7.org/fhir/R4/http.html#history)."""

from shared.engine import Engine
from shared.errors import NotFound
from shared.fhir.history import find, history_bundle, parse
from shared.fhir.http import Request, Response
from shared.fhir.search.access import condition
from shared.store import resources


async def history(engine: Engine, request: Request) -> Response:
    """200 with a history Bundle; 404 for a resource that never was."""
    *scope, _ = request.path
    if scope:
        engine.kinds.kind(scope[0])
    asked = parse(request.parameters, scope, strict=request.prefer("handling") == "strict")
    seen = condition(engine.access(request.caller), scope[:1] or [kind.type for kind in engine.kinds])
    page = await find(engine.pool, scope, asked, seen, engine.clock)
    shows_none = len(scope) == 2 and not page.versions
    if shows_none and await resources.read(engine.pool, scope[0], scope[1], seen=seen) is None:
        raise NotFound("No such resource.")
    return Response(200, history_bundle(page, asked, request.base, scope))
