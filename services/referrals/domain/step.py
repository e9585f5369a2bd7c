"""A step as somebody asks for it, and the Task after it, before anybody has judged it."""

from dataclasses import dataclass
from typing import Any

from services.referrals.domain.references import codings
from services.referrals.domain.referral import needs_reason
from services.referrals.domain.states import state_of
from services.referrals.domain.transitions import BUSINESS_STATUS, State
from shared.fhir.json import Resource


@dataclass(frozen=True, slots=True)
class Output:
    """What came of it: a relative reference, and in words what that is."""

    reference: str
    kind: str


@dataclass(frozen=True, slots=True)
class Step:
    """The step to take. ``owner`` (a relative reference) assigns or claims; ``reason`` is text for people."""

    state: State
    reason: str | None = None
    owner: str | None = None
    output: Output | None = None


def stepped(task: Resource, step: Step) -> Resource:
    """The Task after the step. A reason that explains no longer is dropped."""
    changes: dict[str, Any] = {
        "status": step.state.status,
        "businessStatus": _business_status(task, step.state.business),
        "statusReason": _reason(task, step),
    }
    if step.owner is not None:
        changes["owner"] = {"reference": step.owner}
    if step.output is not None:
        new = {"type": {"text": step.output.kind}, "valueReference": {"reference": step.output.reference}}
        changes["output"] = [*(task.get("output") or ()), new]
    return {element: value for element, value in (task | changes).items() if value is not None}


def _business_status(task: Resource, code: str | None) -> Any:
    present = task.get("businessStatus")
    if code is not None:
        return {"coding": [{"system": BUSINESS_STATUS, "code": code}]}
    return None if any(system == BUSINESS_STATUS for system, _ in codings(present)) else present


def _reason(task: Resource, step: Step) -> Any:
    if step.reason is not None:
        return {"text": step.reason}
    still_explains = needs_reason(step.state) and needs_reason(state_of(task))
    return task.get("statusReason") if still_explains else None
