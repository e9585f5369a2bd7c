"""``/api/referrals``: worklists, how many are on each, their export, and how referrals went. For coordinators."""

import csv
import io
from collections.abc import AsyncIterator
from dataclasses import fields
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from services.referrals.api.asking import OwnerReference
from services.referrals.api.wanted import Wanted
from services.referrals.app import statistics
from services.referrals.app import worklist as worklists
from services.referrals.app.statistics import Group
from services.referrals.app.worklist import Line, Page
from services.referrals.domain.worklists import SHAPES, Worklist
from services.referrals.store.statistics import By
from shared.clock import instant
from shared.engine import Engine
from shared.security.caller import Discipline
from shared.security.dependency import CurrentCaller

router = APIRouter(prefix="/referrals", tags=["worklists"])

_LISTS = " ".join(f"`{name}`: {shape.says}" for name, shape in SHAPES.items())
ListName = Annotated[
    Worklist | None,
    Query(
        alias="list",
        description=f"{_LISTS} Without one: that of the filter, else `open`, or `all` where a status is asked for.",
    ),
]


@router.get("")
async def worklist(
    request: Request,
    caller: CurrentCaller,
    wanted: Wanted,
    name: ListName = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> Page:
    """The referrals of a list. Send ``cursor`` of a page to get the next one."""
    return await worklists.worklist(
        _engine(request), caller, wanted.on(name), wanted.filter, limit=limit, cursor=cursor
    )


@router.get("/counts")
async def counts(request: Request, caller: CurrentCaller, wanted: Wanted) -> dict[Worklist, int]:
    """How many referrals are on each list of open ones, but for ``mine``."""
    return await worklists.counts(_engine(request), caller, wanted.filter)


@router.get("/export", response_class=StreamingResponse, responses={200: {"content": {"text/csv": {}}}})
async def export(request: Request, caller: CurrentCaller, wanted: Wanted, name: ListName = None) -> StreamingResponse:
    """A whole list as CSV (RFC 4180), with a line of names."""
    found = worklists.lines(_engine(request), caller, wanted.on(name), wanted.filter)
    headers = {"Content-Disposition": 'attachment; filename="referrals.csv"'}
    return StreamingResponse(_csv(found), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/statistics")
async def how_they_went(
    request: Request,
    caller: CurrentCaller,
    since: Annotated[date, Query(description="The first day, as the clocks of the place have it.")],
    until: Annotated[date, Query(description="The last day.")],
    by: By = By.MONTH,
    discipline: Discipline | None = None,
    owner: OwnerReference = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> tuple[Group, ...]:
    """What became of the referrals that were sent in a time: rates, and how long it took."""
    return await statistics.statistics_of(
        _engine(request), caller, by, since, until, discipline=discipline, owner=owner, limit=limit
    )


async def _csv(found: AsyncIterator[Line]) -> AsyncIterator[str]:
    names = [field.name for field in fields(Line)]
    yield _row(names)
    async for line in found:
        yield _row([getattr(line, name) for name in names])


def _row(values: list[Any]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(map(_cell, values))
    return text.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, bool):
        return str(value).lower()
    written = "" if value is None else str(value)
    # a spreadsheet takes what begins like this for a formula
    return f"'{written}" if written.startswith(("=", "+", "-", "@", "\t", "\r")) else written


def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine
