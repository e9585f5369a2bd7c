"""``/api/plans/board``: all shared plans, what each lacks and what is due. For coordinators and clinicians."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from services.careplans.api.asking import ID, Day, Instant
from services.careplans.app import board as boards
from services.careplans.app import revisits as looking
from services.careplans.app.board import BoardPage
from services.careplans.app.revisits import RevisitPage
from services.careplans.domain.board import SHAPES, Listing
from services.careplans.store.boards import Filter
from shared.engine import Engine
from shared.security.caller import Discipline
from shared.security.dependency import CurrentCaller

router = APIRouter(prefix="/plans/board", tags=["plans"])

_MEMBER = f"^(Practitioner|PractitionerRole|Organization|CareTeam|RelatedPerson|Patient)/{ID}$"
_LISTS = " ".join(f"`{name}`: {shape.says}" for name, shape in SHAPES.items())
_LINE: dict[str, Any] = {
    "care_plan": "CarePlan/019c",
    "version": 7,
    "patient": "Patient/robin",
    "status": "active",
    "disciplines": ["mental-health", "physical-therapy"],
    "members": ["Organization/mind-clinic", "Practitioner/physio-1"],
    "open_activities": 3,
    "activities": 5,
    "goals": 2,
    "gaps": ["no-member:mental-health", "not-measured"],
    "stale": [{"section": "activities:physical-therapy", "touched": "2026-05-02T08:00:00Z", "days": 120}],
    "flags": ["step-up:phq-9"],
    "open_issues": 1,
    "last_contact_at": "2026-08-11T09:30:00Z",
    "last_score_at": "2026-05-20T10:00:00Z",
    "last_review_at": None,
    "next_review_at": "2026-06-17T10:00:00Z",
    "review_overdue": True,
}
_PAGE = {"content": {"application/json": {"examples": {"one plan": {"value": {"plans": [_LINE], "cursor": None}}}}}}
_COUNTS = {
    "content": {
        "application/json": {
            "examples": {
                "a practice": {"value": {"board": 212, "reviews-due": 31, "gaps": 47, "stale": 12, "flagged": 9}}
            }
        }
    }
}


async def _filter(
    discipline: Annotated[Discipline | None, Query(description="With open activities of this discipline.")] = None,
    member: Annotated[
        str | None, Query(pattern=_MEMBER, description="In which this person or organization takes part.")
    ] = None,
    due_before: Annotated[Instant | None, Query(description="Whose next review is due before this moment.")] = None,
) -> Filter:
    due: datetime | None = due_before
    return Filter(discipline.value if discipline else None, member, due)


Wanted = Annotated[Filter, Depends(_filter)]


@router.get("", responses={200: _PAGE})
async def board(
    request: Request,
    caller: CurrentCaller,
    wanted: Wanted,
    name: Annotated[Listing, Query(alias="list", description=_LISTS)] = Listing.BOARD,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> BoardPage:
    """The plans of a list. Send ``cursor`` of a page to get the next one."""
    return await boards.board(_engine(request), caller, name, wanted, limit=limit, cursor=cursor)


@router.get("/counts", responses={200: _COUNTS})
async def counts(request: Request, caller: CurrentCaller, wanted: Wanted) -> dict[Listing, int]:
    """How many plans are on each list."""
    return await boards.counts(_engine(request), caller, wanted)


revisits = APIRouter(prefix="/plans/revisits", tags=["plans"])
_REVISITS: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "application/json": {
                "examples": {
                    "one diagnosis": {
                        "value": {
                            "revisits": [
                                {
                                    "condition": "Condition/019e",
                                    "patient": "Patient/robin",
                                    "care_plan": "CarePlan/019c",
                                    "verification": "provisional",
                                    "revisit_by": "2026-03-01",
                                    "days_over": 12,
                                    "red_flags": 2,
                                }
                            ],
                            "cursor": None,
                        }
                    }
                }
            }
        }
    }
}


@revisits.get("", responses=_REVISITS)
async def to_revisit(
    request: Request,
    caller: CurrentCaller,
    due_before: Annotated[
        Day | None, Query(description="Whose date is before this day; without it, those of today and earlier.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> RevisitPage:
    """Diagnoses that are not certain (provisional, differential, unconfirmed) and are to be looked at again, the oldest
    date first."""
    return await looking.revisits(_engine(request), caller, due_before=due_before, limit=limit, cursor=cursor)


def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine
