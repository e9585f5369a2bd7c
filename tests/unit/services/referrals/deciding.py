"""Ask the rules as the engine does."""

from datetime import UTC, datetime
from typing import Any

from services.referrals.domain import order as order_rules
from services.referrals.domain import task as task_rules
from services.referrals.domain.events import ReferralChanged
from services.referrals.domain.transitions import Actor
from services.referrals.kinds import KINDS
from shared.fhir.kinds import Decide, Decision, DecisionContext
from shared.security.caller import Caller
from tests.factories.referrals import OWNER, REQUESTER, order

Resource = dict[str, Any]
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
BY_ACTOR = {Actor.INITIATOR: REQUESTER, Actor.RECIPIENT: OWNER}
OTHER = {Actor.INITIATOR: OWNER, Actor.RECIPIENT: REQUESTER}


def decide_task(
    before: Resource | None, after: Resource | None, caller: Caller, *known: Resource, rules: Decide = task_rules.decide
) -> Decision:
    """The decision; the order ``o1`` and ``known`` can be looked up if the rules ask for them."""
    there = {f"{resource['resourceType']}/{resource['id']}": resource for resource in (order(), *known)}
    kind = KINDS.kind("ServiceRequest" if rules is order_rules.decide else "Task")
    seen: dict[str, Resource] = {
        reference: resource
        for asked in kind.referring(before, after)
        for reference, resource in there.items()
        if resource["resourceType"] == asked.type and {"reference": asked.target} in resource.values()
    }
    wanted = set(kind.related(before, after))
    while found := {reference: there[reference] for reference in wanted if reference in there.keys() - seen.keys()}:
        seen |= found
        wanted = set(kind.further(before, after, seen))
    return rules(before, after, DecisionContext(caller, NOW, seen))


def decide_order(before: Resource | None, after: Resource | None, caller: Caller, *known: Resource) -> Decision:
    """The decision about a ServiceRequest."""
    return decide_task(before, after, caller, *known, rules=order_rules.decide)


def told(decision: Decision) -> list[str]:
    """What the decision tells, as words."""
    return [fact.happened.value for fact in decision.facts if isinstance(fact, ReferralChanged)]
