"""``/api/plans/[id]/safety``: what the safety rules say of the plan's patient, and the answers of people."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from services.careplans.api.asking import ID, PlanId
from services.careplans.app import plan_safety
from services.careplans.app.safety_views import Safety
from services.careplans.domain.safety.answering import LONGEST_REASON, SNOOZES
from services.careplans.domain.safety.issues import State
from shared.engine import Engine
from shared.security.dependency import CurrentCaller

router = APIRouter(prefix="/plans", tags=["safety"])
IssueId = Annotated[str, Path(pattern=f"^{ID}$", description="`issue` of a finding: the id of its DetectedIssue.")]


class Answer(BaseModel):
    """An answer to a finding."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=LONGEST_REASON, pattern=r"\S", description="In words.")


class Snooze(Answer):
    """An answer for a while."""

    months: int = Field(json_schema_extra={"enum": list(SNOOZES)}, description="1 or 3.")


ACKNOWLEDGE = {
    "both are needed": {"value": {"reason": "Both are needed until the taper of the benzodiazepine has ended."}},
    "naloxone at home": {"value": {"reason": "The patient has naloxone from another pharmacy."}},
}
SNOOZE = {
    "until the next visit": {"value": {"reason": "To be discussed at the next visit.", "months": 1}},
    "a long taper": {"value": {"reason": "A slow taper is under way.", "months": 3}},
}
RESOLVE = {"stopped": {"value": {"reason": "The patient has stopped it; the prescription will be ended."}}}


@router.get("/{plan_id}/safety")
async def safety(request: Request, caller: CurrentCaller, plan_id: PlanId) -> Safety:
    """The safety rules on the merged medication list of the plan's patient, as of today: findings with rule, version,
    source, inputs, missing data and what people answered; what cannot be judged; what is silenced and why; morphine
    equivalents with what they count. Advisory: no clinician has signed off the rules."""
    return await plan_safety.safety_of(_engine(request), caller, plan_id)


@router.post("/{plan_id}/safety/{issue}/acknowledge")
async def acknowledge(
    request: Request,
    caller: CurrentCaller,
    plan_id: PlanId,
    issue: IssueId,
    body: Annotated[Answer, Body(openapi_examples=ACKNOWLEDGE)],
) -> Safety:
    """The finding is seen, for this reason. It stays so until its inputs change."""
    return await plan_safety.answer(_engine(request), caller, plan_id, issue, State.ACKNOWLEDGED, body.reason)


@router.post("/{plan_id}/safety/{issue}/snooze")
async def snooze(
    request: Request,
    caller: CurrentCaller,
    plan_id: PlanId,
    issue: IssueId,
    body: Annotated[Snooze, Body(openapi_examples=SNOOZE)],
) -> Safety:
    """The finding rests for 1 or 3 months, for this reason; then it is open again."""
    engine = _engine(request)
    return await plan_safety.answer(engine, caller, plan_id, issue, State.SNOOZED, body.reason, body.months)


@router.post("/{plan_id}/safety/{issue}/resolve")
async def resolve(
    request: Request,
    caller: CurrentCaller,
    plan_id: PlanId,
    issue: IssueId,
    body: Annotated[Answer, Body(openapi_examples=RESOLVE)],
) -> Safety:
    """The finding is done with, for this reason. It is open again when its inputs have changed and hold again."""
    return await plan_safety.answer(_engine(request), caller, plan_id, issue, State.RESOLVED, body.reason)


def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine
