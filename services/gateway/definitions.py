"""OperationDefinitions of the system's own operations, to be read at ``/fhir/OperationDefinition/<id>``
(http://hl7.org/fhir/R4/operationdefinition.html). They are part of the program: they cannot be changed, and searches,
which find what is stored, do not list them.
"""

from services.gateway import plan_definitions, referral_definitions
from services.gateway.asgi import Answer, ASGIApp, Receive, Scope, Send, send_answer
from services.gateway.defining import definition
from services.gateway.outcome import FHIR_JSON, error_answer
from shared.errors import NotAllowed
from shared.fhir.json import Resource, dumps

_READS = ("GET", "HEAD")


def _definition(id_: str, name: str, code: str, type_: str, description: str, output: str) -> Resource:
    """An operation on an instance that takes nothing and returns one Bundle."""
    returned = {"name": "return", "use": "out", "min": 1, "max": "1", "documentation": output, "type": "Bundle"}
    return definition(
        *(id_, name, code),
        types=(type_,),
        date="2026-11-27",
        changes=False,
        description=description,
        parameters=(returned,),
    )


OWN: dict[str, Resource] = {
    each["id"]: each
    for each in (
        _definition(
            "careplan-everything",
            "CarePlanEverything",
            "everything",
            "CarePlan",
            "A care plan with all that belongs to it, wherever it is kept: goals, orders and tasks of its activities,"
            " care team and members, conditions addressed, observations of what goals measure, who and where all of"
            " these name, and Provenance. What the caller may not see is left out.",
            "A searchset: the plan is its match, the rest are includes. It has no pages.",
        ),
        _definition(
            "careplan-document",
            "CarePlanDocument",
            "document",
            "CarePlan",
            "A care plan as a document for a hand-over: a Composition with sections on plan, goals, care team,"
            " conditions, current medications, referrals and measures, and all that these refer to. Nothing is stored.",
            "A document, in which every reference to a resource of this server resolves.",
        ),
        *plan_definitions.DEFINITIONS,
        *referral_definitions.DEFINITIONS,
    )
}


class Definitions:
    """The requests for OperationDefinition: those that the edge has, and ``stored`` for all others."""

    def __init__(self, stored: ASGIApp) -> None:
        self._stored = stored

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        _, _, _, *rest = scope["path"].split("/")
        own = OWN.get(rest[0]) if len(rest) == 1 else None
        if own is None:
            await self._stored(scope, receive, send)
        elif scope["method"] not in _READS:
            error = NotAllowed("This definition is part of the program.", methods=_READS)
            await send_answer(error_answer(error, path=scope["path"]), send)
        else:
            await send_answer(Answer(200, dumps(own), (FHIR_JSON,)), send, body=scope["method"] != "HEAD")
