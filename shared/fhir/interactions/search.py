"""search by GET and POST (http://hl7.org/fhir/R4/http.html#search)."""

from shared.engine import Engine
from shared.errors import UnsupportedMediaType
from shared.fhir.http import Request, Response, form
from shared.fhir.search import search_bundle

_FORM = "application/x-www-form-urlencoded"


async def search(engine: Engine, request: Request, *, compartment: str = "") -> Response:
    """200 with a searchset Bundle; of what is in the compartment of the patient ``compartment``, if one is named."""
    type_ = request.path[0]
    engine.kinds.kind(type_)
    parameters = request.parameters
    if request.method == "POST":
        media = request.headers.get("content-type", _FORM).partition(";")[0].strip().lower()
        if media != _FORM and request.body:
            raise UnsupportedMediaType("Send application/x-www-form-urlencoded.")
        parameters = parameters + form(request.body.decode("utf-8", "replace"))
    strict = request.prefer("handling") == "strict"
    # who must see what was written a moment ago says so (https://www.rfc-editor.org/rfc/rfc9111#section-5.2.1.4)
    fresh = engine.replica is not None and "no-cache" in request.headers.get("cache-control", "").lower()
    bundle = await search_bundle(
        engine.pool,
        type_,
        parameters,
        base=request.base,
        strict=strict,
        access=engine.access(request.caller),
        clock=engine.clock,
        replica=None if fresh else engine.replica,
        compartment=compartment,
    )
    return Response(200, bundle)
