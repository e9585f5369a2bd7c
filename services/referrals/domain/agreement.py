"""An order and the Tasks that fulfil it agree: when one ends, the other does not go on as if nothing had happened.

The order stays the requester's and the Task the performer's; what follows for the other is data here, happens in the
same transaction, and passes the other's own rules (http://hl7.org/fhir/R4/request.html#general).
"""

from collections.abc import Iterable, Mapping

from services.referrals.domain.actions import ACTIONS, Code, targets, withdrawals
from services.referrals.domain.moving import moved
from services.referrals.domain.references import target
from services.referrals.domain.referral import is_referral
from services.referrals.domain.states import ENTERED_IN_ERROR, TERMINAL, state_of
from services.referrals.domain.transitions import State
from shared.fhir.json import Resource
from shared.fhir.kinds import Consequence, Referring

ENDED_ORDERS = frozenset({"revoked", "completed", ENTERED_IN_ERROR})
"""Nobody is asked to fulfil such an order any more."""
UNFULFILLED_ORDERS = frozenset({"active", "on-hold", "unknown"})
"""What an order is until its referral is completed."""
_REVOKED, _MISTAKEN = "The order was revoked.", "The order was entered in error."


def order_of(task: Resource) -> str | None:
    """The ServiceRequest that a referral fulfils; None for any other Task."""
    return target(task.get("focus")) if is_referral(task) else None


def tasks_to_look_at(before: Resource | None, after: Resource | None) -> Iterable[Referring]:
    """The Tasks of an order that ends now."""
    if before is not None and after is not None and _ends(before, after):
        yield Referring("Task", f"ServiceRequest/{after['id']}")


def _ends(before: Resource, after: Resource) -> bool:
    return before["status"] != after["status"] and after["status"] in ENDED_ORDERS


def open_referrals(order: str, related: Mapping[str, Resource]) -> list[Resource]:
    """The referrals of ``order`` (a relative reference) among ``related`` that have not ended."""
    return [
        each
        for each in related.values()
        if each["resourceType"] == "Task" and order_of(each) == order and each["status"] not in TERMINAL
    ]


def of_order(before: Resource, after: Resource, related: Mapping[str, Resource]) -> tuple[Consequence, ...]:
    """What the end of an order means to its referrals: they are taken back, or were a mistake as well."""
    if not _ends(before, after) or after["status"] == "completed":
        return ()
    amend = mistaken if after["status"] == ENTERED_IN_ERROR else withdrawn
    still_open = open_referrals(f"ServiceRequest/{after['id']}", related)
    return tuple(Consequence(f"Task/{task['id']}", amend) for task in still_open)


def siblings_to_look_at(before: Resource | None, after: Resource | None) -> Iterable[Referring]:
    """The other referrals of the order, when one is completed now."""
    order = None if before is None or after is None else order_of(after)
    if before is not None and after is not None and order is not None and _completes(before, after):
        yield Referring("Task", order)


def _completes(before: Resource, after: Resource) -> bool:
    return bool(before["status"] != "completed" == after["status"])


def of_task(before: Resource | None, after: Resource, related: Mapping[str, Resource]) -> tuple[Consequence, ...]:
    """What a referral means to its order: one that is sent is in force; the last one that is completed fulfils it."""
    order = order_of(after)
    if order is None:
        return ()
    if before is not None and _completes(before, after):
        others = [task for task in open_referrals(order, related) if task["id"] != after["id"]]
        return () if others else (Consequence(order, fulfilled),)
    sent = (before is None or before["status"] == "draft") and after["status"] not in ("draft", *TERMINAL)
    return (Consequence(order, in_force),) if sent else ()


def in_force(order: Resource) -> Resource | None:
    """An order that was a draft until somebody was asked to fulfil it."""
    return order | {"status": "active"} if order["status"] == "draft" else None


def fulfilled(order: Resource) -> Resource | None:
    """An order after the last of its referrals was completed."""
    return order | {"status": "completed"} if order["status"] in UNFULFILLED_ORDERS else None


def withdrawn(task: Resource) -> Resource | None:
    """A referral whose order was revoked: cancelled, or its cancellation asked for, as the tables have it."""
    source = state_of(task)
    ways = withdrawals(source) or targets(ACTIONS[Code.REQUEST_CANCELLATION], source)
    return moved(task, ways[0], _REVOKED) if ways else None


def mistaken(task: Resource) -> Resource | None:
    """A referral whose order was entered in error."""
    state = state_of(task)
    if state.status == ENTERED_IN_ERROR:
        return None
    return moved(task, State(ENTERED_IN_ERROR, state.business), _MISTAKEN)
