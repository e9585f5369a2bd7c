"""search by GET and POST (http://hl7.org/fhir/R4/http.html#search)."""

from shared.engine import Engine
from shared.errors import UnsupportedMediaType
from shared.fhir.http import Request, Response, form
from shared.fhir.search import search_bundle

_FORM = "application/x-www-form-urlencoded"


async def search(engine: Engine, request: Request) -> Response:
    """200 with a searchset Bundle."""
    type_ = request.path[0]
    engine.kinds.kind(type_)
    parameters = request.parameters
    if request.method == "POST":
        media = request.headers.get("content-type", _FORM).partition(";")[0].strip().lower()
        if media != _FORM and request.body:
            raise UnsupportedMediaType("Send application/x-www-form-urlencoded.")
        parameters = parameters + form(request.body.decode("utf-8", "replace"))
    strict = request.prefer("handling") == "strict"
    return Response(
        200, await search_bundle(engine.pool, type_, parameters, base=request.base, strict=strict, clock=engine.clock)
    )
