"""``/api/referrals/match``, ``check`` and ``directory``: whom to send a referral to, and whether to send it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from services.referrals.api.needed import LanguageQuery, Need
from services.referrals.api.told import (
    Directory,
    Matches,
    WarningsView,
    directory_told,
    matches_told,
    warnings_told,
)
from services.referrals.app import directory as directories
from services.referrals.app import matching
from services.referrals.app.directory import Wanted
from services.referrals.domain.offering import Modality
from services.referrals.domain.specialty import OF_DISCIPLINE, Specialty
from shared.engine import Engine
from shared.errors import Invalid
from shared.security.caller import Discipline
from shared.security.dependency import CurrentCaller

router = APIRouter(prefix="/referrals", tags=["matching"])
"""It goes before the router of single referrals: ``directory`` is no id of a Task there."""

Limit = Annotated[int, Query(ge=1, le=200)]


@router.post("/match")
async def match(request: Request, caller: CurrentCaller, body: Need, limit: Limit = 20) -> Matches:
    """The services for a referral, the best first, each with its reasons; those that cannot take it, with theirs; and
    what looks like a duplicate or a loop. Nothing is stored."""
    return matches_told(await matching.match(_engine(request), caller, body.question()), limit)


@router.post("/check")
async def check(request: Request, caller: CurrentCaller, body: Need) -> WarningsView:
    """What looks like a duplicate of the referral, or like a way back to who sent it. Nothing is stored."""
    return warnings_told(await matching.check(_engine(request), caller, body.question()))


@router.get("/directory")
async def directory(
    request: Request,
    caller: CurrentCaller,
    specialty: Specialty | None = None,
    discipline: Discipline | None = None,
    modality: Modality | None = None,
    language: LanguageQuery = None,
    inactive: bool = False,
    limit: Limit = 50,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> Directory:
    """Services and roles, with their capacity of this week and the wait to expect. A page may be shorter than
    ``limit``; send ``cursor`` until it is null."""
    wanted = frozenset({specialty}) if specialty else frozenset[Specialty]()
    if discipline is not None:
        wanted = wanted & OF_DISCIPLINE[discipline] if specialty else OF_DISCIPLINE[discipline]
        if not wanted:
            raise Invalid("The specialty is none of the discipline's.", code="value", expression=("query.specialty",))
    asked = Wanted(wanted, modality, language, inactive)
    try:
        page = await directories.directory(_engine(request), caller, asked, limit=limit, cursor=cursor)
    except Invalid as error:
        raise Invalid("The cursor is not one of this list.", code="value", expression=("query.cursor",)) from error
    return directory_told(page)


def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine
