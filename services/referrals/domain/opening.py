"""Who may ask that an order be fulfilled: whoever may write the order, and whoever was asked already.

An intermediary that owns a referral passes it on by a Task that is part of it (``Task.partOf``), as SDOH-CC has it:
https://hl7.org/fhir/us/sdoh-clinicalcare/referral_workflow.html.
"""

from collections.abc import Iterable, Mapping

from services.referrals.domain.order import may_write
from services.referrals.domain.parties import is_behind, stand_ins
from services.referrals.domain.references import same_target, target
from services.referrals.domain.referral import is_referral
from shared.errors import Forbidden
from shared.fhir.json import Resource
from shared.fhir.kinds import DecisionContext
from shared.security.caller import Role

PASSED_ON = frozenset({"requested", "received", "accepted", "ready", "in-progress", "on-hold"})
"""Where the owner of a referral may pass it on: it was sent, and has not ended."""


def further(before: Resource | None, after: Resource | None, related: Mapping[str, Resource]) -> Iterable[str]:
    """The Tasks that ``after`` is part of, up to the first, and the roles behind owners and the order's requester."""
    if after is None or not opens(before, after):
        return ()
    parents = set(_parents(after))
    above = {reference for reference in related if reference.startswith("Task/")}
    order = related.get(target(after.get("focus")) or "", {})
    owners = (related[parent].get("owner") for parent in parents if parent in related)
    older = (reference for known in above for reference in _parents(related[known]))
    return (*parents, *older, *stand_ins(order.get("requester"), *owners))


def opens(before: Resource | None, after: Resource) -> bool:
    """Whether ``after`` is a referral of an order that ``before`` did not ask for."""
    if not is_referral(after):
        return False
    return before is None or not is_referral(before) or not same_target(before.get("focus"), after.get("focus"))


def check_opening(before: Resource | None, after: Resource, context: DecisionContext) -> None:
    """Raise ``Forbidden`` where a person asks for what somebody else ordered, and was not asked for it.

    A back end imports, and opens what it is a party to.
    An order that is not here is nobody's: what refers to it by Type/id is refused when it is stored."""
    order = context.related.get(target(after.get("focus")) or "")
    if order is None or not opens(before, after):
        return
    if context.caller.role is Role.SYSTEM or may_write(order, context.caller, context.related):
        return
    parents = (context.related.get(parent) for parent in _parents(after))
    if not any(parent is not None and _may_pass_on(parent, after, order, context) for parent in parents):
        raise Forbidden(
            "A referral is opened by the requester of its order, or as part of one that the caller owns.",
            expression=("Task.focus", "Task.partOf"),
        )


def _parents(task: Resource) -> tuple[str, ...]:
    found = (target(parent) for parent in task.get("partOf") or ())
    return tuple(reference for reference in found if reference and reference.startswith("Task/"))


def _may_pass_on(parent: Resource, part: Resource, order: Resource, context: DecisionContext) -> bool:
    asked = target(parent.get("focus"))
    return (
        is_referral(parent)
        and _goes_on(parent, context.related, set())
        and (target(part.get("focus")) == asked or asked in _derived_from(order))
        and is_behind(context.caller, parent.get("owner"), context.related)
    )


def _goes_on(task: Resource, related: Mapping[str, Resource], seen: set[str]) -> bool:
    """Whether ``task`` and all that it is part of were sent and have not ended; ``seen`` ends a circle."""
    older = [parent for parent in _parents(task) if parent in related and parent not in seen]
    seen.update(older)
    return task["status"] in PASSED_ON and all(_goes_on(related[parent], related, seen) for parent in older)


def _derived_from(order: Resource) -> tuple[str | None, ...]:
    """The orders that ``order`` carries out in part, where nobody else is its requester."""
    return () if order.get("requester") else tuple(target(based) for based in order.get("basedOn") or ())
