"""The facts of the domain: what happened to a referral, and how it stands afterwards."""

from dataclasses import dataclass

from services.referrals.domain.references import target
from services.referrals.domain.referral import outputs
from services.referrals.domain.states import ENTERED_IN_ERROR, state_of
from services.referrals.domain.transitions import Happened, State
from shared.fhir.json import Resource


@dataclass(frozen=True, slots=True)
class ReferralChanged:
    """One change of one referral. References are relative."""

    happened: Happened
    state: State
    previous: State | None
    service_request: str | None
    patient: str | None
    discipline: str | None
    requester: str | None
    owner: str | None
    outputs: tuple[str, ...]


def changed(happened: Happened, task: Resource, previous: State | None, discipline: str | None) -> ReferralChanged:
    """The fact that ``happened`` to the referral ``task`` as it is now."""
    return ReferralChanged(
        happened=happened,
        state=state_of(task),
        previous=previous,
        service_request=target(task.get("focus")),
        patient=target(task.get("for")),
        discipline=discipline,
        requester=target(task.get("requester")),
        owner=target(task.get("owner")),
        outputs=outputs(task),
    )


def removed(task: Resource, discipline: str | None) -> ReferralChanged:
    """The fact that a referral was deleted: for everybody else it was a mistake."""
    before = state_of(task)
    gone = {**task, "status": ENTERED_IN_ERROR}
    return changed(Happened.ENTERED_IN_ERROR, gone, before, discipline)
