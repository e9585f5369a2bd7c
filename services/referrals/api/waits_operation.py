"""``HealthcareService/$waits``: how long one waits for each discipline. Its definition is at the gateway."""

from services.referrals.app.waits import ShortestWait, shortest_waits
from shared.engine import Engine
from shared.fhir.http import Request, Response
from shared.fhir.json import Resource, dumps
from shared.fhir.operations.operation import Level, Operation
from shared.fhir.parameters import parameters, parts, value


async def run(engine: Engine, request: Request) -> Response:
    """200 with Parameters: a ``wait`` for each discipline."""
    found = await shortest_waits(engine, request.caller)
    return Response(200, dumps(parameters(*map(_wait, found))))


def _wait(wait: ShortestWait) -> Resource:
    told = [
        value("discipline", "valueCode", wait.discipline.value),
        value("services", "valueUnsignedInt", wait.services),
        value("cases", "valueUnsignedInt", wait.cases),
    ]
    if wait.days is not None:
        told.append(value("days", "valueDecimal", wait.days))
    return parts("wait", *told)


WAITS = Operation(
    name="waits",
    definition="https://consilium.care/fhir/OperationDefinition/healthcare-service-waits",
    levels=frozenset({Level.TYPE}),
    types=frozenset({"HealthcareService"}),
    run=run,
)
