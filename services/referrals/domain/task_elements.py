"""Which elements of a Task may change, by whom, when: the parts of a referral belong to somebody."""

from services.referrals.domain.parties import is_behind, trusted
from services.referrals.domain.references import same_target
from services.referrals.domain.referral import is_referral
from services.referrals.domain.states import TERMINAL
from services.referrals.domain.transitions import Actor
from shared.errors import Forbidden, Unprocessable
from shared.fhir.json import Resource
from shared.fhir.kinds import DecisionContext

RESULTS = ("output", "executionPeriod")
"""What the recipient says about the visit and its outcome."""

_ASSIGNABLE = frozenset({"draft", "requested", "received", "ready"})
"""Before acceptance the initiator may choose another owner."""
_UNDECIDED = frozenset({"requested", "received"})


def check_elements(
    before: Resource, after: Resource, actors: frozenset[Actor], context: DecisionContext, *, claimed: bool
) -> None:
    """Raise ``Unprocessable`` for an element that nobody may change any more, ``Forbidden`` for the other side's."""
    if before["status"] != "draft":
        _check_fixed(before, after)
    check_results(before, after, actors)
    if not same_target(before.get("owner"), after.get("owner")):
        _check_owner(before, after, actors, context, claimed=claimed)


def _check_fixed(before: Resource, after: Resource) -> None:
    fixed = ["requester"]
    if is_referral(before):
        fixed += ["focus", "for"]
        if not is_referral(after):
            fixed.append("code")
    for element in fixed:
        if element == "code" or not same_target(before.get(element), after.get(element)):
            raise Unprocessable(
                "This element does not change once the Task has left draft.", expression=(f"Task.{element}",)
            )


def check_results(before: Resource | None, after: Resource, actors: frozenset[Actor]) -> None:
    """Raise ``Forbidden`` where somebody else than the recipient says what came of it: not in a draft either, which
    would be sent with a visit that nobody has given."""
    if Actor.RECIPIENT in actors:
        return
    for element in RESULTS:
        if (before or {}).get(element) != after.get(element):
            raise Forbidden("Only the recipient changes this element.", expression=(f"Task.{element}",))


def _check_owner(
    before: Resource, after: Resource, actors: frozenset[Actor], context: DecisionContext, *, claimed: bool
) -> None:
    status = before["status"]
    if status in TERMINAL:
        raise Unprocessable("The owner of an ended Task does not change.", expression=("Task.owner",))
    by_initiator = Actor.INITIATOR in actors and status in _ASSIGNABLE
    narrowed = (
        Actor.RECIPIENT in actors
        and status in _UNDECIDED
        and is_behind(context.caller, after.get("owner"), context.related)
    )
    if not (claimed or by_initiator or narrowed or trusted(context.caller)):
        raise Forbidden("The owner is not for this caller to change now.", expression=("Task.owner",))
