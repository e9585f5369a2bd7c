"""``/api/referrals/[id]``: one referral and its actions, for people who coordinate. Orders come over FHIR."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from services.referrals.api.asking import ID
from services.referrals.api.inputs import AskedInputs, Inputs
from services.referrals.api.keyed import ANSWERS, Once, tell
from services.referrals.api.versions import IfMatch, etag, seen, version_in
from services.referrals.app import queries
from services.referrals.app.commands import Asked, take
from services.referrals.app.once import once
from services.referrals.app.queries import Standing, Timeline
from services.referrals.domain.actions import Code
from shared.engine import Engine
from shared.security.dependency import CurrentCaller
from shared.store.resources import Stored
from shared.unit_of_work import UnitOfWork

TaskId = Annotated[str, Path(pattern=f"^{ID}$")]

router = APIRouter(prefix="/referrals", tags=["referrals"])


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


@router.post("/{task_id}/actions/{action}", responses={200: ANSWERS})
async def perform(
    request: Request,
    caller: CurrentCaller,
    task_id: TaskId,
    action: Code,
    response: Response,
    claim: Once,
    body: AskedInputs = None,
    if_match: IfMatch = None,
) -> Standing:
    """Take one of the ``available_actions``, with its inputs. People send If-Match. The referral as it stands then; of
    one that is offered to somebody else, the new referral."""
    engine, precondition = _engine(request), seen(version_in(if_match))
    asked = Asked(action, {} if body is None else body.given(), Inputs.where)

    async def effect(work: UnitOfWork) -> Stored:
        return await take(work, task_id, asked, precondition)

    outcome = await once(engine, caller, claim, effect)
    tell(response, outcome)
    if outcome.stored is None:
        return _tagged(response, await queries.standing(engine, caller, outcome.led.task))
    # not as it is by now: somebody may have changed it since, or deleted it
    return _tagged(response, await queries.standing_in(engine, caller, outcome.stored))


def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine


def _tagged(response: Response, standing: Standing) -> Standing:
    response.headers["ETag"] = etag(standing.referral.version)
    return standing
