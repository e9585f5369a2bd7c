"""What a caller may do now, as people and systems read it: of one referral, and of an order with all its referrals."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.referrals.app.lookup import found, related_to, require_view, require_view_of_order
from services.referrals.domain import order as order_rules
from services.referrals.domain import task as task_rules
from services.referrals.domain.availability import Available, available
from services.referrals.domain.inputs import Input
from services.referrals.domain.order_actions import OrderAction, available_for_order
from services.referrals.domain.referral import is_referral
from shared.engine import Engine
from shared.fhir.json import Resource, loads
from shared.fhir.search import search_bundle
from shared.reading import current
from shared.security.caller import Caller

MOST_REFERRALS = 100
"""Of one order: more than anybody sends."""


@dataclass(frozen=True, slots=True)
class ActionInput:
    """What to send along with an action."""

    name: str
    type: str
    """``string``, ``code`` or ``Reference``."""
    required: bool
    definition: str
    targets: tuple[str, ...] = ()
    """The types that a reference may name."""
    choices: tuple[str, ...] = ()
    """The codes to choose from; the first, if nothing is sent."""


@dataclass(frozen=True, slots=True)
class AvailableAction:
    """What the caller may do now, and where it leads if nothing else is chosen; no status where the state stays."""

    code: str
    display: str
    definition: str
    status: str | None
    business_status: str | None
    inputs: tuple[ActionInput, ...]


@dataclass(frozen=True, slots=True)
class OrderActions:
    """What may be done with an order, and with each referral of it (by relative reference)."""

    order: tuple[OrderAction, ...]
    referrals: Mapping[str, tuple[AvailableAction, ...]]


def shown(offer: Available) -> AvailableAction:
    """The offer in words of the interface."""
    goal = offer.targets[0] if offer.targets else None
    return AvailableAction(
        code=offer.action.code,
        display=offer.action.display,
        definition=offer.action.definition,
        status=goal.status if goal else None,
        business_status=goal.business if goal else None,
        inputs=tuple(map(_shown_input, offer.inputs)),
    )


def _shown_input(asked: Input) -> ActionInput:
    kind = asked.kind
    return ActionInput(asked.name, kind.type, asked.required, kind.definition, kind.targets, asked.choices)


async def actions(engine: Engine, caller: Caller, task_id: str) -> tuple[AvailableAction, ...]:
    """What ``caller`` may do with a referral now. Raises ``NotFound`` or ``Gone``."""
    task = loads((await current(engine, caller, "Task", task_id)).body)
    require_view(caller, task)
    return tuple(map(shown, available(task, caller, await related_to(engine.pool, task))))


async def order_actions(engine: Engine, caller: Caller, order_id: str) -> OrderActions:
    """What ``caller`` may do with an order and its referrals now. Raises ``NotFound`` or ``Gone``.

    An order has at most ``MOST_REFERRALS`` here; the oldest come first."""
    order = loads((await current(engine, caller, "ServiceRequest", order_id)).body)
    require_view_of_order(caller, order)
    reference = f"ServiceRequest/{order_id}"
    wanted = [("focus", reference), ("_count", str(MOST_REFERRALS))]
    bundle = loads(await search_bundle(engine.pool, "Task", wanted, base="", strict=True, access=engine.access(caller)))
    listed = [entry["resource"] for entry in bundle.get("entry", ())]
    tasks = [each for each in listed if each["resourceType"] == "Task" and is_referral(each)]
    wanted_beside = {
        *order_rules.related(None, order),
        *(one for task in tasks for one in task_rules.related(None, task)),
    }
    related = await found(engine.pool, wanted_beside)
    known = related | {f"Task/{task['id']}": task for task in tasks}
    return OrderActions(
        available_for_order(order, caller, known),
        {f"Task/{task['id']}": _offered(task, caller, related) for task in tasks},
    )


def _offered(task: Resource, caller: Caller, related: Mapping[str, Resource]) -> tuple[AvailableAction, ...]:
    return tuple(map(shown, available(task, caller, related)))
