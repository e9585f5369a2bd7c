"""$meta: profiles, tags and security labels (http://hl7.org/fhir/R4/resource-operation-meta.html)."""

from shared.engine import Engine
from shared.fhir.http import Request, Response
from shared.fhir.json import dumps, loads
from shared.fhir.operations.operation import Level, Operation
from shared.reading import current


async def meta(engine: Engine, request: Request) -> Response:
    """200 with Parameters that hold the ``meta`` of one resource; 404 or 410 as ``read``."""
    type_, id_, _ = request.path
    stored = await current(engine, request.caller, type_, id_)
    found = loads(stored.body)["meta"]
    parameters = {"resourceType": "Parameters", "parameter": [{"name": "return", "valueMeta": found}]}
    return Response(200, dumps(parameters))


META = Operation(
    name="meta",
    definition="http://hl7.org/fhir/OperationDefinition/Resource-meta",
    levels=frozenset({Level.INSTANCE}),
    run=meta,
)
