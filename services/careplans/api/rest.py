"""``/api/plans``: the shared plan for people who coordinate. The clinical content is read over FHIR."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from services.careplans.api.asking import ID, PatientReference, PlanId
from services.careplans.app import commands, queries
from services.careplans.app.measures import Measures, measures_of
from services.careplans.app.plain import PlainPlan, plain_plan
from services.careplans.app.queries import Plan
from services.careplans.app.timeline import Moment, timeline
from shared.engine import Engine
from shared.security.dependency import CurrentCaller

router = APIRouter(prefix="/plans", tags=["plans"])


class OpenPlan(BaseModel):
    """Whose plan to open."""

    patient: str = Field(pattern=f"^Patient/{ID}$")


@router.get("")
async def shared_plan(request: Request, caller: CurrentCaller, patient: PatientReference) -> Plan:
    """The patient's one shared plan: its activities with their states, and its team."""
    reference = patient if patient.startswith("Patient/") else f"Patient/{patient}"
    return await queries.shared_plan_of(_engine(request), caller, reference)


@router.post("")
async def open_plan(request: Request, caller: CurrentCaller, body: OpenPlan, response: Response) -> Plan:
    """The patient's shared plan; a draft is made where there is none (201). Safe to repeat."""
    engine = _engine(request)
    plan_id, made = await commands.open_plan(engine, caller, body.patient)
    response.status_code = 201 if made else 200
    response.headers["Location"] = f"/api/plans/{plan_id}"
    return await queries.plan(engine, caller, plan_id)


@router.get("/{plan_id}")
async def plan(request: Request, caller: CurrentCaller, plan_id: PlanId) -> Plan:
    """One plan, shared or not."""
    return await queries.plan(_engine(request), caller, plan_id)


@router.get("/{plan_id}/timeline")
async def timeline_of_plan(
    request: Request, caller: CurrentCaller, plan_id: PlanId, limit: Annotated[int, Query(ge=1, le=500)] = 200
) -> list[Moment]:
    """What happened to the plan and its team, oldest first, in their newest ``limit`` versions: who did it, why, and a
    line for each change."""
    return await timeline(_engine(request), caller, plan_id, limit=limit)


@router.get("/{plan_id}/measures")
async def measures(request: Request, caller: CurrentCaller, plan_id: PlanId) -> Measures:
    """The outcome measures of the plan's patient: scores ready to plot, the change since the plan began with its class
    of response, and what the newest scores propose. Advisory: a proposal is a draft for people."""
    return await measures_of(_engine(request), caller, plan_id)


@router.get("/{plan_id}/plain")
async def plain(request: Request, caller: CurrentCaller, plan_id: PlanId) -> PlainPlan:
    """The plan in plain words, for the patient to read: what matters, goals, what is done and by whom, what was
    declined, and what to do when it gets worse."""
    return await plain_plan(_engine(request), caller, plan_id)


def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine
