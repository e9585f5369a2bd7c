"""``/api/referrals/[id]``: one referral and its actions, for people who coordinate. Orders come over FHIR."""

import re
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request, Response

from services.referrals.api.asking import ID
from services.referrals.api.inputs import AskedInputs, Inputs
from services.referrals.app import commands, queries
from services.referrals.app.commands import Asked
from services.referrals.app.queries import Standing, Timeline
from services.referrals.domain.actions import Code
from shared.engine import Engine
from shared.errors import Invalid, PreconditionFailed, PreconditionRequired
from shared.security.caller import Role
from shared.security.dependency import CurrentCaller
from shared.store.resources import Stored
from shared.unit_of_work import UnitOfWork

_ETAG = re.compile(r'(?:W/)?"([0-9]{1,9})"')

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


@router.post("/{task_id}/actions/{action}")
async def perform(
    request: Request,
    caller: CurrentCaller,
    task_id: TaskId,
    action: Code,
    response: Response,
    body: AskedInputs = None,
    if_match: Annotated[str | None, Header()] = None,
) -> Standing:
    """Take one of the ``available_actions``, with its inputs. People send If-Match. The referral as it stands then; of
    one that is offered to somebody else, the new referral."""
    engine = _engine(request)
    seen = _version(if_match)

    def precondition(work: UnitOfWork, stored: Stored) -> None:
        if seen is None and caller.role is not Role.SYSTEM:
            raise PreconditionRequired("Send If-Match with the version that you have seen.")
        if seen not in (None, stored.version):
            raise PreconditionFailed("The referral has changed since the version named in If-Match.")

    asked = Asked(action, {} if body is None else body.given(), Inputs.where)
    stored = await commands.perform(engine, caller, task_id, asked, precondition=precondition)
    return _tagged(response, await queries.standing(engine, caller, stored.id))


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
