"""A Task in another state, before anybody has judged it."""

from typing import Any

from services.referrals.domain.marks import RETURNED, without
from services.referrals.domain.references import codings
from services.referrals.domain.referral import CANCELLATION_REQUESTED, needs_reason
from services.referrals.domain.states import state_of
from services.referrals.domain.transitions import BUSINESS_STATUS, State
from shared.fhir.json import Resource


def moved(task: Resource, target: State, reason: str | None = None) -> Resource:
    """The Task in ``target``; ``reason`` is text for people. What explains or waits no longer is dropped."""
    changes = {
        "status": target.status,
        "businessStatus": _business_status(task, target.business),
        "statusReason": _reason(task, target, reason),
    }
    if target != state_of(task):
        task = without(task, RETURNED)
    return {element: value for element, value in (task | changes).items() if value is not None}


def keeps_reason(task: Resource, target: State) -> bool:
    """Whether the present reason explains ``target`` as well: who confirms a cancellation need not say why again."""
    return bool(task.get("statusReason")) and needs_reason(target) and state_of(task) == CANCELLATION_REQUESTED


def _business_status(task: Resource, code: str | None) -> Any:
    present = task.get("businessStatus")
    if code is not None:
        return {"coding": [{"system": BUSINESS_STATUS, "code": code}]}
    return None if any(system == BUSINESS_STATUS for system, _ in codings(present)) else present


def _reason(task: Resource, target: State, reason: str | None) -> Any:
    if reason is not None:
        return {"text": reason}
    return task.get("statusReason") if keeps_reason(task, target) else None
