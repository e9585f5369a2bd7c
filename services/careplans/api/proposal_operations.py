"""``CarePlan/[id]/$propose`` and ``RequestGroup/[id]/$decide``: a proposal for a shared plan, and what people say to it
(http://hl7.org/fhir/R4/operations.html). Their definitions are at the gateway.
"""

from collections.abc import Iterator
from typing import Any

from services.careplans.api.wishes import asked_in
from services.careplans.app import proposals
from services.careplans.app.applying import ACTIVITY, PLAN
from services.careplans.domain.proposals.deciding import OWNERS, Decision
from services.careplans.domain.proposals.recorded import Answer
from shared.engine import Engine
from shared.errors import Invalid, Unprocessable
from shared.fhir.http import Request, Response, body_resource
from shared.fhir.interactions.guards import require_match
from shared.fhir.interactions.writing import written
from shared.fhir.json import Resource
from shared.fhir.operations.operation import Level, Operation
from shared.fhir.parameters import parameters_in
from shared.fhir.search.params.reference import local
from shared.store.resources import Stored
from shared.unit_of_work import UnitOfWork

_DEFINITIONS = "https://consilium.care/fhir/OperationDefinition"
PRIORITIES = ("routine", "urgent", "asap", "stat")
"""http://hl7.org/fhir/R4/valueset-request-priority.html"""
_PARTS = {
    "action": "valueString",
    "answer": "valueCode",
    "reason": "valueString",
    "patient": "valueBoolean",
    "description": "valueString",
    "discipline": "valueCode",
    "priority": "valueCode",
    "owner": "valueReference",
    "refer": "valueBoolean",
}
LONGEST = 4_000
MOST = 100
"""Decisions at a time."""


async def propose(engine: Engine, request: Request) -> Response:
    """201 with the stored RequestGroup; 200 where there is one that says the same."""
    _, plan_id, _ = request.path
    asked = asked_in(request, ("definition",))
    type_, _, id_ = asked.reference("definition", PLAN, ACTIVITY).partition("/")
    made = await proposals.propose(engine, request.caller, plan_id, (type_, id_), asked.wishes())
    return written(request, made.stored, created=made.new)


async def decide(engine: Engine, request: Request) -> Response:
    """200 with the RequestGroup as it is then."""
    _, proposal_id, _ = request.path
    asked = list(_decisions(body_resource(request, "Parameters")))

    def precondition(work: UnitOfWork, stored: Stored) -> None:
        require_match(request, stored)

    stored = await proposals.decide(
        engine,
        request.caller,
        proposal_id,
        asked,
        precondition=precondition,
        where=_place,
        provenance=request.provenance,
    )
    return written(request, stored, created=False)


def _place(number: int) -> str:
    return f"Parameters.parameter[{number}].part"


def _decisions(resource: Resource) -> Iterator[Decision]:
    listed = parameters_in(resource)
    if not 1 <= len(listed) <= MOST:
        text = f"Send 1 to {MOST} parameters named decision."
        raise Unprocessable(text, code="required", expression=("Parameters.parameter",))
    for number, parameter in enumerate(listed):
        where = f"Parameters.parameter[{number}]"
        if parameter.get("name") != "decision":
            text = "The parameters are named decision."
            raise Unprocessable(text, code="not-supported", expression=(f"{where}.name",))
        yield _decision(_values(parameter, where), where)


def _values(parameter: Resource, where: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for place, part in enumerate(_objects(parameter.get("part"), where)):
        name, at = part.get("name"), f"{where}.part[{place}]"
        if not isinstance(name, str) or name not in _PARTS or name in found:
            text = f"The parts of a decision are, each once: {', '.join(_PARTS)}."
            raise Unprocessable(text, code="not-supported", expression=(f"{at}.name",))
        found[name] = _value(part, _PARTS[name], at)
    return found


def _objects(listed: Any, where: str) -> list[Resource]:
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise Invalid("A decision has parts.", code="structure", expression=(f"{where}.part",))
    return listed


def _value(part: Resource, element: str, where: str) -> Any:
    value = part.get(element)
    if value is None and element in ("valueCode", "valueString"):
        value = part.get("valueString", part.get("valueCode", part.get("valueId")))
    if element == "valueReference" and isinstance(value, dict):
        value = value.get("reference")
    wanted = bool if element == "valueBoolean" else str
    if not isinstance(value, wanted) or (isinstance(value, str) and len(value) > LONGEST):
        raise Invalid(f"This part has a {element}.", code="structure", expression=(where,))
    return value


def _decision(found: dict[str, Any], where: str) -> Decision:
    for name in ("action", "answer"):
        if name not in found:
            raise Unprocessable(f"A decision has the part {name}.", code="required", expression=(f"{where}.part",))
    _among(found["answer"], tuple(Answer), f"{where}.part.where(name='answer').value")
    if "priority" in found:
        _among(found["priority"], PRIORITIES, f"{where}.part.where(name='priority').value")
    if "owner" in found:
        target = local(found["owner"])
        if target is None or target[0] not in OWNERS:
            text = f"The owner is one of this server's: {', '.join(OWNERS)}."
            raise Unprocessable(text, expression=(f"{where}.part.where(name='owner').value",))
    return Decision(**(found | {"answer": Answer(found["answer"])}))


def _among(value: str, known: tuple[str, ...], where: str) -> None:
    if value not in known:
        raise Unprocessable(f"Known are: {', '.join(known)}.", code="code-invalid", expression=(where,))


OPERATIONS = (
    Operation(
        name="propose",
        definition=f"{_DEFINITIONS}/care-plan-propose",
        levels=frozenset({Level.INSTANCE}),
        types=frozenset({"CarePlan"}),
        methods=("POST",),
        run=propose,
    ),
    Operation(
        name="decide",
        definition=f"{_DEFINITIONS}/request-group-decide",
        levels=frozenset({Level.INSTANCE}),
        types=frozenset({"RequestGroup"}),
        methods=("POST",),
        run=decide,
    ),
)
