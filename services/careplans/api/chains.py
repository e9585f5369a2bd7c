"""``/api/plans/{id}/chain``: what became of each activity, and what the measures did meanwhile."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from services.careplans.api.asking import ID, PlanId
from services.careplans.app.chain import Chain, chain_of
from services.careplans.domain.chain import About
from shared.security.dependency import CurrentCaller

router = APIRouter(prefix="/plans", tags=["plans"])

_EXAMPLE: dict[str, Any] = {
    "care_plan": "CarePlan/019c",
    "patient": "Patient/robin",
    "complete": True,
    "activities": [
        {
            "activity": "referral-7f31",
            "title": "Graded exercise",
            "request": "ServiceRequest/5b20",
            "task": "Task/7f31",
            "discipline": "physical-therapy",
            "status": "completed",
            "states": [
                {"status": "not-started", "at": "2026-01-05T09:00:00Z"},
                {"status": "accepted", "at": "2026-01-06T10:00:00Z"},
                {"status": "in-progress", "at": "2026-01-12T08:00:00Z"},
                {"status": "completed", "at": "2026-03-16T15:00:00Z"},
            ],
            "begun": "2026-01-12T08:00:00Z",
            "ended": "2026-03-16T15:00:00Z",
            "reports": [{"reference": "DiagnosticReport/88a1", "status": "final", "date": "2026-03-16"}],
            "beside": ["referral-90c2"],
            "measures": [
                {
                    "measure": "odi",
                    "title": "Oswestry Disability Index",
                    "about": ["function"],
                    "before": {
                        "at": "2026-01-10T09:00:00Z",
                        "value": 42.0,
                        "band": "severe",
                        "observation": "Observation/1",
                    },
                    "first_since": {
                        "at": "2026-03-20T09:00:00Z",
                        "value": 28.0,
                        "band": "moderate",
                        "observation": "Observation/2",
                    },
                    "latest_since": {
                        "at": "2026-03-20T09:00:00Z",
                        "value": 28.0,
                        "band": "moderate",
                        "observation": "Observation/2",
                    },
                    "absolute": -14.0,
                    "response": "responder",
                    "source": "Ostelo et al., Spine 33:90 (2008), unverified",
                    "unknown": None,
                    "says": "Oswestry Disability Index went from 42 (2026-01-10) to 28 (2026-03-20), class responder. "
                    "This happened in the time of the activity, and need not be its effect; one other activity was "
                    "under way in that time.",
                }
            ],
        }
    ],
}


@router.get(
    "/{plan_id}/chain",
    responses={200: {"content": {"application/json": {"examples": {"one referral": {"value": _EXAMPLE}}}}}},
)
async def chain(
    request: Request,
    caller: CurrentCaller,
    plan_id: PlanId,
    task: Annotated[
        str | None, Query(pattern=f"^Task/{ID}$", description="The activity that follows this referral alone.")
    ] = None,
    about: Annotated[About | None, Query(description="Measures that speak of this alone.")] = None,
) -> Chain:
    """Activity, order, Task, reports, and the change of each measure in its time. `?task=Task/x&about=function` asks
    what a referral did for function; the answer tells what happened in its time, which need not be its effect."""
    return await chain_of(request.app.state.engine, caller, plan_id, task=task, about=about)
