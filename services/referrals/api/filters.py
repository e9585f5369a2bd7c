"""``/api/referrals/filters``: worklists with what is looked for on them, under names of the caller's own."""

from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Body, Path, Request, Response

from services.referrals.api.versions import IfMatch, etag, version_in
from services.referrals.api.wanted import FILTER_NAME, Search
from services.referrals.app import filters
from services.referrals.store.filters import Saved
from shared.engine import Engine
from shared.security.dependency import CurrentCaller

router = APIRouter(prefix="/referrals/filters", tags=["filters"])
"""It goes before the router of single referrals: ``filters`` is no id of a Task there."""

FilterName = Annotated[str, Path(pattern=FILTER_NAME)]


class Wish(Search):
    """What to keep; a coordinator may share it with the others."""

    shared: bool = False


class SavedFilter(Wish):
    """A saved filter; ``mine`` unless another coordinator shares it."""

    name: str
    mine: bool
    version: int
    changed_at: datetime

    @classmethod
    def of(cls, saved: Saved) -> Self:
        """As it is stored."""
        told = {"name": saved.name, "mine": saved.mine, "version": saved.version, "changed_at": saved.changed_at}
        return cls.model_validate({**saved.wanted, **told, "shared": saved.shared})


EXAMPLES: dict[str, Any] = {
    "pressing": {
        "summary": "Urgent ones of a discipline that nobody has answered",
        "value": {"list": "silent", "discipline": "mental-health", "priority": "urgent"},
    },
    "shared": {
        "summary": "What one clinic has, for all coordinators",
        "value": {"list": "open", "owner": "Organization/mind-clinic", "shared": True},
    },
}


@router.get("", response_model_exclude_none=True)
async def listed(request: Request, caller: CurrentCaller) -> list[SavedFilter]:
    """The caller's own filters, then those that other coordinators share."""
    return [SavedFilter.of(each) for each in await filters.listed(_engine(request), caller)]


@router.get("/{name}", response_model_exclude_none=True)
async def saved(request: Request, caller: CurrentCaller, name: FilterName, response: Response) -> SavedFilter:
    """One's own, else the one of that name that another coordinator shares."""
    return _tagged(response, await filters.saved(_engine(request), caller, name))


@router.put("/{name}", response_model_exclude_none=True, responses={201: {"description": "It was made."}})
async def save(
    request: Request,
    caller: CurrentCaller,
    name: FilterName,
    response: Response,
    body: Annotated[Wish, Body(openapi_examples=EXAMPLES)],
    if_match: IfMatch = None,
) -> SavedFilter:
    """Make a filter (201), or change one's own, with If-Match (200). Safe to repeat. Use it as
    `GET /api/referrals?filter={name}`."""
    wanted = body.model_dump(mode="json", exclude={"shared"}, exclude_defaults=True)
    seen = version_in(if_match)
    kept, made = await filters.save(_engine(request), caller, name, wanted, shared=body.shared, seen=seen)
    response.status_code = 201 if made else 200
    return _tagged(response, kept)


@router.delete("/{name}", status_code=204)
async def forget(request: Request, caller: CurrentCaller, name: FilterName, if_match: IfMatch = None) -> None:
    """Delete one's own; what others share is theirs to delete."""
    await filters.forget(_engine(request), caller, name, seen=version_in(if_match))


def _tagged(response: Response, found: Saved) -> SavedFilter:
    response.headers["ETag"] = etag(found.version)
    return SavedFilter.of(found)


def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine
