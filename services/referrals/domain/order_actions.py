"""What people do with an order (ServiceRequest), as names of the transitions that ``order.decide`` allows."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.referrals.domain.agreement import open_referrals
from services.referrals.domain.order import ORDER_TRANSITIONS, may_write
from shared.errors import Conflict, ConsiliumError, Forbidden
from shared.fhir.json import Resource
from shared.security.caller import Caller


@dataclass(frozen=True, slots=True)
class OrderAction:
    """One action: the status that it leads to, and those that it leaves."""

    code: str
    display: str
    definition: str
    status: str
    sources: frozenset[str]


def _to(code: str, display: str, definition: str, status: str, *, only: frozenset[str] | None = None) -> OrderAction:
    sources = frozenset(source for source, goals in ORDER_TRANSITIONS.items() if status in goals)
    return OrderAction(code, display, definition, status, sources if only is None else sources & only)


_DRAFT = frozenset({"draft"})
ORDER_ACTIONS: dict[str, OrderAction] = {
    action.code: action
    for action in (
        _to("activate", "Activate", "Put a draft in force.", "active", only=_DRAFT),
        _to("hold", "Hold", "Interrupt it; its referrals go on.", "on-hold"),
        _to("resume", "Resume", "Put it in force again.", "active", only=frozenset(ORDER_TRANSITIONS) - _DRAFT),
        _to("revoke", "Revoke", "Take it back, with all its referrals that have not ended.", "revoked"),
        _to("complete", "Complete", "Say that it is fulfilled; its referrals have ended.", "completed"),
        _to("mark-as-error", "Mark as error", "Say that it should never have been.", "entered-in-error"),
    )
}


def available_for_order(order: Resource, caller: Caller, related: Mapping[str, Resource]) -> tuple[OrderAction, ...]:
    """What ``caller`` may do with ``order`` now; ``related`` has its referrals, and the role behind its requester."""
    if not may_write(order, caller, related):
        return ()
    return tuple(
        each for each in ORDER_ACTIONS.values() if order["status"] in each.sources and _fits(each, order, related)
    )


def order_refusal(order: Resource, caller: Caller, related: Mapping[str, Resource]) -> ConsiliumError:
    """Why ``caller`` may not do with ``order`` what is not available."""
    if not may_write(order, caller, related):
        return Forbidden("An order is changed by its requester.")
    codes = ", ".join(each.code for each in available_for_order(order, caller, related)) or "none"
    return Conflict(
        f"In the status {order['status']} this action is not possible. Possible are: {codes}.",
        expression=("ServiceRequest.status",),
    )


def _fits(action: OrderAction, order: Resource, related: Mapping[str, Resource]) -> bool:
    return action.status != "completed" or not open_referrals(f"ServiceRequest/{order['id']}", related)
