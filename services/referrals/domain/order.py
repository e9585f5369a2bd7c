"""The decision about a ServiceRequest: the order belongs to whoever requested it (http://hl7.org/fhir/R4/request.html#statemachine)."""

from collections.abc import Iterable, Mapping

from services.referrals.domain.agreement import of_order, open_referrals
from services.referrals.domain.parties import is_behind, stand_ins, trusted
from services.referrals.domain.references import same_target
from shared.errors import Conflict, Forbidden, Unprocessable
from shared.fhir.json import Resource
from shared.fhir.kinds import Decision, DecisionContext
from shared.security.caller import Caller, Role

ORDER_TRANSITIONS: dict[str, frozenset[str]] = {
    "draft": frozenset({"active", "revoked", "entered-in-error"}),
    "active": frozenset({"on-hold", "revoked", "completed", "entered-in-error"}),
    "on-hold": frozenset({"active", "revoked", "completed", "entered-in-error"}),
    "unknown": frozenset({"active", "on-hold", "revoked", "completed", "entered-in-error"}),
    "revoked": frozenset({"entered-in-error"}),
    "completed": frozenset({"entered-in-error"}),
    "entered-in-error": frozenset(),
}
OPENING_STATUSES = frozenset({"draft", "active"})
"""Where a person begins an order; a back end that imports may begin anywhere."""
_DELETABLE = frozenset({"draft", "entered-in-error"})
_FIXED = ("subject", "requester")


def related(before: Resource | None, after: Resource | None) -> Iterable[str]:
    """The roles behind the requester."""
    return stand_ins(*(order.get("requester") for order in (before, after) if order is not None))


def decide(before: Resource | None, after: Resource | None, context: DecisionContext) -> Decision:
    """Raises ``Forbidden`` (not the requester), ``Conflict`` (illegal transition), ``Unprocessable`` (a fixed element).

    An order alone tells nothing: what others hear is the fulfilment, the Task."""
    if after is None:
        return _delete(before or {}, context)
    if before is None:
        return _create(after, context)
    return _update(before, after, context)


def _create(order: Resource, context: DecisionContext) -> Decision:
    caller = context.caller
    if caller.role is Role.PATIENT:
        raise Forbidden("A patient does not place an order.")
    if caller.role is Role.CLINICIAN and not order.get("requester"):
        raise Unprocessable("An order needs its requester.", code="required", expression=("ServiceRequest.requester",))
    if not may_write(order, context.caller, context.related):
        raise Forbidden("An order is placed by its requester.", expression=("ServiceRequest.requester",))
    if caller.role is not Role.SYSTEM and order["status"] not in OPENING_STATUSES:
        raise Unprocessable("An order does not begin in this status.", expression=("ServiceRequest.status",))
    return Decision(order)


def _update(before: Resource, after: Resource, context: DecisionContext) -> Decision:
    if not may_write(before, context.caller, context.related):
        raise Forbidden("An order is changed by its requester.")
    source, goal = before["status"], after["status"]
    lost_track = goal == "unknown" and context.caller.role is Role.SYSTEM and "revoked" in ORDER_TRANSITIONS[source]
    if goal != source and goal not in ORDER_TRANSITIONS[source] and not lost_track:
        raise Conflict("The present status allows no transition to that status.", expression=("ServiceRequest.status",))
    if source != "draft":
        for element in _FIXED:
            if not same_target(before.get(element), after.get(element)):
                raise Unprocessable(
                    "This element does not change once the order has left draft.",
                    expression=(f"ServiceRequest.{element}",),
                )
    elif not may_write(after, context.caller, context.related):
        raise Forbidden("An order is placed by its requester.", expression=("ServiceRequest.requester",))
    if source != goal == "completed" and not trusted(context.caller):
        _require_ended(after, context)
    return Decision(after, consequences=of_order(before, after, context.related))


def _require_ended(order: Resource, context: DecisionContext) -> None:
    if open_referrals(f"ServiceRequest/{order['id']}", context.related):
        raise Conflict(
            "Somebody is still asked to fulfil this order: a referral of it has not ended.",
            expression=("ServiceRequest.status",),
        )


def _delete(before: Resource, context: DecisionContext) -> Decision:
    if not may_write(before, context.caller, context.related):
        raise Forbidden("An order is deleted by its requester.")
    if before["status"] not in _DELETABLE and not trusted(context.caller):
        raise Conflict("An order in force is revoked, or marked entered-in-error, not deleted.")
    return Decision(None)


def may_write(order: Resource, caller: Caller, related: Mapping[str, Resource]) -> bool:
    """Whether the caller is behind the requester of ``order``, or acts for anybody: a coordinator, a back end."""
    if trusted(caller) or caller.role is Role.COORDINATOR:
        return True
    return caller.role is not Role.PATIENT and is_behind(caller, order.get("requester"), related)
