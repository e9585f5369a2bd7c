"""``/api/referrals/[id]/notes``: what people say to each other about a referral (``Task.note``)."""

from typing import Annotated

from fastapi import APIRouter, Body, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.referrals.api.keyed import ANSWERS, Once, tell
from services.referrals.api.rest import TaskId
from services.referrals.api.versions import IfMatch, etag, seen, version_in
from services.referrals.app import notes
from services.referrals.app.notes import Notes
from services.referrals.app.once import once
from services.referrals.domain.inputs import LONGEST_TEXT
from shared.engine import Engine
from shared.security.dependency import CurrentCaller
from shared.store.resources import Stored
from shared.unit_of_work import UnitOfWork

router = APIRouter(prefix="/referrals", tags=["notes"])


class Said(BaseModel):
    """A note."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=LONGEST_TEXT, pattern=r"\S", description="In words.")


EXAMPLES = {
    "a call": {"value": {"text": "The patient asks for an appointment in the afternoon."}},
    "afterwards": {"value": {"text": "The report was sent to the family doctor as well."}},
}


@router.get("/{task_id}/notes")
async def notes_of(request: Request, caller: CurrentCaller, task_id: TaskId, response: Response) -> Notes:
    """All that was said about the referral, in order. Who sees the referral sees its notes, the patient included."""
    return _tagged(response, await notes.notes(_engine(request), caller, task_id))


@router.post("/{task_id}/notes", status_code=201, responses={201: ANSWERS})
async def add_note(
    request: Request,
    caller: CurrentCaller,
    task_id: TaskId,
    response: Response,
    claim: Once,
    body: Annotated[Said, Body(openapi_examples=EXAMPLES)],
    if_match: IfMatch = None,
) -> Notes:
    """Add a note, also to a referral that has ended. Requester, owner and coordinators may. If-Match is checked if it
    is sent, and not asked for: who adds something takes nothing away from others."""
    engine, precondition = _engine(request), seen(version_in(if_match), demanded=False)

    async def effect(work: UnitOfWork) -> Stored:
        return await notes.add_note(work, task_id, body.text, precondition)

    outcome = await once(engine, caller, claim, effect, status=201)
    tell(response, outcome)
    return _tagged(response, await notes.notes(engine, caller, outcome.led.task))


def _tagged(response: Response, found: Notes) -> Notes:
    response.headers["ETag"] = etag(found.version)
    return found


def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine
