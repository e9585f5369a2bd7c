"""When a shared plan may end: by whoever coordinates it, and as completed when nobody is still asked for anything."""

from services.careplans.domain.codes import followed_task
from services.careplans.domain.facts import activity_status
from services.careplans.domain.hands import Hands
from services.careplans.domain.proposals.activity import ENDED
from services.careplans.domain.states import TERMINAL_PLAN
from shared.errors import Conflict, Forbidden
from shared.fhir.json import Resource


def check_ending(before: Resource, after: Resource, hands: Hands) -> None:
    """Raises ``Forbidden`` for one discipline that would end everybody's plan, ``Conflict`` where a plan is completed
    while a referral of it is open; revoking it is always possible."""
    status = after.get("status")
    if status == before.get("status") or status not in TERMINAL_PLAN:
        return
    if hands.disciplines is not None:
        raise Forbidden("The shared plan is ended by who coordinates it.", expression=("CarePlan.status",))
    activities = after.get("activity") or ()
    if status == "completed" and any(
        followed_task(each) is not None and activity_status(each) not in ENDED for each in activities
    ):
        text = "Referrals of the plan are still open: they end first, or the plan is revoked."
        raise Conflict(text, expression=("CarePlan.activity",))
