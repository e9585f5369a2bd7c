"""Referrals as events tell them, for the tests of the plan's domain."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.careplans.domain.referral import Referral, merge, witness
from services.careplans.domain.shared_plan import PlanChange, apply_referrals

NOON = datetime(2025, 3, 4, 12, tzinfo=UTC)
PATIENT = "Patient/p"


@dataclass(frozen=True)
class Told:
    """One event: a Task's version and what it said."""

    version: int
    status: str
    business_status: str | None = None
    owner: str | None = "Organization/clinic"
    outputs: tuple[str, ...] = ()
    task: str = "Task/t"
    service_request: str | None = "ServiceRequest/s"
    discipline: str | None = "mental-health"
    previous_status: str | None = None


def moment(version: int) -> datetime:
    return NOON + timedelta(hours=version)


def witnessed(told: Told) -> Referral:
    state = Referral(
        task=told.task,
        version=told.version,
        patient=PATIENT,
        status=told.status,
        business_status=told.business_status,
        service_request=told.service_request,
        discipline=told.discipline,
        owner=told.owner,
        outputs=told.outputs,
    )
    return witness(state, moment(told.version), told.previous_status)


def after(*events: Told) -> PlanChange:
    """The plan and the team after the events, each applied as it comes."""
    change: PlanChange | None = None
    known: dict[str, Referral] = {}
    for event in events:
        known[event.task] = merge(known.get(event.task), witnessed(event))
        change = apply_referrals(
            change.plan if change else None,
            change.team if change else None,
            [known[task] for task in sorted(known)],
            plan_id="plan",
            team_id="team",
            patient=PATIENT,
            now=NOON,
        )
    assert change is not None
    return change
