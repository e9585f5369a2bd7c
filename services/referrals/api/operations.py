"""``$available-actions`` and ``$perform-action``: what a caller may do with a referral or an order, and doing it
(http://hl7.org/fhir/R4/operations.html). Their definitions are at the gateway.
"""

from functools import partial

from services.referrals.api.match_operation import MATCH
from services.referrals.api.parameters import asked_in, code_in
from services.referrals.api.waits_operation import WAITS
from services.referrals.app import actions, commands
from services.referrals.app.actions import AvailableAction
from services.referrals.domain.order_actions import OrderAction
from shared.engine import Engine
from shared.fhir.http import Request, Response, any_resource
from shared.fhir.interactions.guards import require_if_match, require_match
from shared.fhir.interactions.writing import written
from shared.fhir.json import Resource, dumps
from shared.fhir.operations.operation import Level, Operation
from shared.fhir.parameters import parameters, parts, value
from shared.store.resources import Stored
from shared.unit_of_work import UnitOfWork

_DEFINITIONS = "https://consilium.care/fhir/OperationDefinition"


async def available_actions(engine: Engine, request: Request) -> Response:
    """200 with Parameters: an ``action`` for each; of an order, its own, and each ``task`` with those of it."""
    type_, id_, _ = request.path
    if type_ == "Task":
        told = [_action(each) for each in await actions.actions(engine, request.caller, id_)]
    else:
        found = await actions.order_actions(engine, request.caller, id_)
        told = [_order_action(each) for each in found.order]
        told += [
            parts("task", value("reference", "valueReference", {"reference": task}), *map(_action, offered))
            for task, offered in found.referrals.items()
        ]
    return Response(200, dumps(parameters(*told)))


async def perform_action(engine: Engine, request: Request) -> Response:
    """200 with the resource as it is then; 201 with the new Task of a referral that is offered to somebody else."""
    type_, id_, _ = request.path
    asked = any_resource(request)

    def precondition(work: UnitOfWork, stored: Stored) -> None:
        require_match(request, stored)
        require_if_match(work, request, stored)

    if type_ == "Task":
        perform = partial(commands.perform, asked=asked_in(asked))
    else:
        perform = partial(commands.perform_on_order, code=code_in(asked))
    stored = await perform(engine, request.caller, id_, precondition=precondition, provenance=request.provenance)
    return written(request, stored, created=stored.id != id_)


def _action(action: AvailableAction) -> Resource:
    told = [
        value("code", "valueCode", action.code),
        value("display", "valueString", action.display),
        value("definition", "valueString", action.definition),
    ]
    if action.status is not None:
        told.append(value("status", "valueCode", action.status))
    if action.business_status is not None:
        told.append(value("business-status", "valueCode", action.business_status))
    for asked in action.inputs:
        told.append(
            parts(
                "input",
                value("name", "valueString", asked.name),
                value("type", "valueCode", asked.type),
                value("required", "valueBoolean", asked.required),
                value("definition", "valueString", asked.definition),
                *(value("target", "valueCode", type_) for type_ in asked.targets),
                *(value("choice", "valueCode", code) for code in asked.choices),
            )
        )
    return parts("action", *told)


def _order_action(action: OrderAction) -> Resource:
    return parts(
        "action",
        value("code", "valueCode", action.code),
        value("display", "valueString", action.display),
        value("definition", "valueString", action.definition),
        value("status", "valueCode", action.status),
    )


OPERATIONS = (
    MATCH,
    WAITS,
    Operation(
        name="available-actions",
        definition=f"{_DEFINITIONS}/referral-available-actions",
        levels=frozenset({Level.INSTANCE}),
        types=frozenset({"Task", "ServiceRequest"}),
        run=available_actions,
    ),
    Operation(
        name="perform-action",
        definition=f"{_DEFINITIONS}/referral-perform-action",
        levels=frozenset({Level.INSTANCE}),
        types=frozenset({"Task", "ServiceRequest"}),
        methods=("POST",),
        run=perform_action,
    ),
)
