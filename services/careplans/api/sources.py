"""``/api/plans/[id]/sources``: the plans that EHRs keep for the same patient, beside the shared one."""

from typing import Annotated

from fastapi import APIRouter, Body, Request
from pydantic import BaseModel, ConfigDict, Field

from services.careplans.api.asking import PlanId
from services.careplans.app import sources
from services.careplans.app.sources import Source
from shared.engine import Engine
from shared.security.dependency import CurrentCaller

router = APIRouter(prefix="/plans", tags=["sources"])


class Taken(BaseModel):
    """What to take over."""

    model_config = ConfigDict(extra="forbid")

    version: int = Field(ge=1, description="The version of the other plan that was looked at.")
    items: list[Annotated[str, Field(min_length=1, max_length=200)]] = Field(
        min_length=1, max_length=200, description="Keys of activities and goals."
    )
    reason: str | None = Field(default=None, min_length=1, max_length=4_000, description="Why, for the history.")


EXAMPLES = {
    "an activity and a goal": {
        "value": {"version": 3, "items": ["stretching", "Goal/walk"], "reason": "Agreed on the phone"}
    }
}


@router.get("/{plan_id}/sources")
async def sources_of(request: Request, caller: CurrentCaller, plan_id: PlanId) -> list[Source]:
    """The other plans of the patient, the newest 100: how each is linked, and which of its activities and goals the
    shared plan has as well (`same`, `differs`: another status) or has not (`missing`). They never change from here."""
    return await sources.sources_of(_engine(request), caller, plan_id)


@router.post("/{plan_id}/sources/{source_id}/take")
async def take(
    request: Request,
    caller: CurrentCaller,
    plan_id: PlanId,
    source_id: PlanId,
    body: Annotated[Taken, Body(openapi_examples=EXAMPLES)],
) -> list[Source]:
    """Take activities and goals of another plan into the shared one. What is in it already is not taken twice; 409
    where the other plan has changed since it was looked at."""
    engine = _engine(request)
    await sources.take_over(engine, caller, plan_id, source_id, body.version, body.items, body.reason)
    return await sources.sources_of(engine, caller, plan_id)


def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine
