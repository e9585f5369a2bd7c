"""``/api/referrals/[id]``: one referral and its steps, for people who coordinate. Orders come over FHIR."""

import re
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.referrals.api.asking import ID, BusinessStatus, Status
from services.referrals.app import commands, queries
from services.referrals.app.queries import Standing, Timeline
from services.referrals.domain.step import Output, Step
from services.referrals.domain.transitions import State
from shared.engine import Engine
from shared.errors import Invalid
from shared.security.dependency import CurrentCaller

REFERENCE = rf"^[A-Z][A-Za-z]{{1,63}}/{ID}$"
_ETAG = re.compile(r'(?:W/)?"([0-9]{1,9})"')

TaskId = Annotated[str, Path(pattern=f"^{ID}$")]

router = APIRouter(prefix="/referrals", tags=["referrals"])


class NewOutput(BaseModel):
    """What came of it: an Appointment, a report, a note."""

    model_config = ConfigDict(extra="forbid")

    reference: str = Field(pattern=REFERENCE)
    kind: str = Field(default="document", min_length=1, max_length=100)


class NewStep(BaseModel):
    """The state to go to, as ``next_steps`` of the referral names it, and what belongs to it."""

    model_config = ConfigDict(extra="forbid")

    status: Status
    business_status: BusinessStatus | None = None
    reason: str | None = Field(default=None, min_length=1, max_length=2000)
    owner: str | None = Field(default=None, pattern=REFERENCE)
    output: NewOutput | None = None

    def step(self) -> Step:
        """As the use case takes it."""
        output = Output(self.output.reference, self.output.kind) if self.output else None
        state = State(self.status.value, self.business_status.value if self.business_status else None)
        return Step(state, self.reason, self.owner, output)


@router.get("/{task_id}")
async def referral(request: Request, caller: CurrentCaller, task_id: TaskId, response: Response) -> Standing:
    """One referral as it stands, and what the caller may do with it now."""
    return _tagged(response, await queries.standing(_engine(request), caller, task_id))


@router.get("/{task_id}/timeline")
async def timeline(
    request: Request, caller: CurrentCaller, task_id: TaskId, limit: Annotated[int, Query(ge=1, le=500)] = 200
) -> Timeline:
    """What happened to the referral, oldest first, by whom, and how long it was in each state."""
    return await queries.timeline(_engine(request), caller, task_id, limit=limit)


@router.post("/{task_id}/steps")
async def take_step(
    request: Request,
    caller: CurrentCaller,
    task_id: TaskId,
    body: NewStep,
    response: Response,
    if_match: Annotated[str | None, Header()] = None,
) -> Standing:
    """Take one step: accept, decline, schedule, ask for cancellation ... People send If-Match."""
    engine = _engine(request)
    await commands.take_step(engine, caller, task_id, body.step(), if_match=_version(if_match))
    return _tagged(response, await queries.standing(engine, caller, task_id))


def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine


def _tagged(response: Response, standing: Standing) -> Standing:
    response.headers["ETag"] = f'W/"{standing.referral.version}"'
    return standing


def _version(text: str | None) -> int | None:
    if text is None:
        return None
    match = _ETAG.fullmatch(text.strip())
    if match is None:
        raise Invalid('An ETag looks like W/"3".', code="value")
    return int(match.group(1))
