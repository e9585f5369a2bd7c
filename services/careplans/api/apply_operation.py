"""``PlanDefinition/[id]/$apply`` and ``ActivityDefinition/[id]/$apply``
(http://hl7.org/fhir/R4/plandefinition-operation-apply.html, http://hl7.org/fhir/R4/activitydefinition-operation-apply.html):
a draft for people. Nothing is stored.
"""

from services.careplans.api.wishes import asked_in
from services.careplans.app.applying import ACTIVITY, PLAN, applied
from services.careplans.domain.applying.care_plan import care_plan
from services.careplans.domain.applying.request_group import single_request
from shared.engine import Engine
from shared.fhir.http import Request, Response
from shared.fhir.json import dumps
from shared.fhir.operations.operation import Level, Operation

_DEFINITIONS = "https://consilium.care/fhir/OperationDefinition"


async def run(engine: Engine, request: Request) -> Response:
    """200: of a plan a draft CarePlan, of an activity a draft request, or why there is none."""
    type_, id_, _ = request.path
    asked = asked_in(request)
    patient = asked.reference("subject", "Patient")
    proposal = await applied(engine, request.caller, (type_, id_), patient, asked.wishes())
    drafted = care_plan(proposal) if type_ == PLAN else single_request(proposal)
    return Response(200, dumps(drafted))


APPLY = (
    Operation(
        name="apply",
        definition=f"{_DEFINITIONS}/plan-definition-apply",
        levels=frozenset({Level.INSTANCE}),
        types=frozenset({PLAN}),
        run=run,
    ),
    Operation(
        name="apply",
        definition=f"{_DEFINITIONS}/activity-definition-apply",
        levels=frozenset({Level.INSTANCE}),
        types=frozenset({ACTIVITY}),
        run=run,
    ),
)
