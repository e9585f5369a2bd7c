"""``/api/plans/{id}/measures/chart.svg``, ``.png``, ``.txt``: outcome measures with plan events on one time line."""

import asyncio
import hashlib
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from importlib.metadata import version
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from services.careplans.api.asking import Day, PlanId
from services.careplans.app.chart import chart_of
from services.careplans.domain.measures.catalogue import BY_ID
from services.careplans.domain.measures.chart import Chart, described
from shared.engine import Engine
from shared.errors import Invalid
from shared.security.dependency import CurrentCaller

router = APIRouter(prefix="/plans", tags=["plans"])

MeasureId = StrEnum("MeasureId", {id_.upper().replace("-", "_"): id_ for id_ in BY_ID})  # type: ignore[misc]  # made of data


class Form(StrEnum):
    """What a chart may be had as."""

    SVG = "svg"
    PNG = "png"
    TXT = "txt"


TYPES = {Form.SVG: "image/svg+xml", Form.PNG: "image/png", Form.TXT: "text/plain; charset=utf-8"}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {type_.partition(";")[0]: {"schema": {"type": "string"}} for type_ in TYPES.values()},
        "headers": {"ETag": {"description": "Of this chart as it is now.", "schema": {"type": "string"}}},
    },
    304: {"description": "It is as the ETag in If-None-Match has it."},
}
_PENCIL = ThreadPoolExecutor(1, thread_name_prefix="chart")
"""Charts are drawn one after the other, beside the event loop."""


@router.get("/{plan_id}/measures/chart.{form}", response_class=Response, responses=_ANSWERS)
async def chart(
    request: Request,
    caller: CurrentCaller,
    plan_id: PlanId,
    form: Form,
    measure: Annotated[
        list[MeasureId],
        Query(description="Which measures, repeated; all of which there are scores where none is named."),
    ] = [],  # noqa: B006  FastAPI copies it
    start: Annotated[Day | None, Query(alias="from", description="The first day, in UTC.")] = None,
    end: Annotated[Day | None, Query(alias="to", description="The last day, in UTC.")] = None,
) -> Response:
    """The outcome measures of the plan's patient with bands, targets and what happened to the plan, drawn; `txt` says
    the same in words, which are the description of the other two as well. It names nobody."""
    if start is not None and end is not None and end < start:
        raise Invalid("The last day is before the first.", code="value", expression=("query.to",))
    engine: Engine = request.app.state.engine
    found = await chart_of(engine, caller, plan_id, measures=measure, start=start, end=end)
    headers = {"ETag": _etag(found, form), "Cache-Control": "private, no-cache"}
    if headers["ETag"] in _known(request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    body = described(found).encode() if form is Form.TXT else await _drawn(found, form)
    return Response(body, media_type=TYPES[form], headers=headers)


async def _drawn(chart: Chart, form: Form) -> bytes:
    return await asyncio.get_running_loop().run_in_executor(_PENCIL, _draw, chart, form.value)


def _draw(chart: Chart, form: str) -> bytes:
    # matplotlib takes half a second and 60 MB: of the processes that draw, at the first chart
    from services.careplans.api.drawing import draw

    return draw(chart, form)


def _known(header: str) -> set[str]:
    """The tags in If-None-Match, compared weakly (RFC 9110, 13.1.2)."""
    return {tag.strip().removeprefix("W/") for tag in header.split(",")}


def _etag(chart: Chart, form: Form) -> str:
    """Of what is drawn, and by which release."""
    said = f"{version('consilium')} {form.value} {chart!r}"
    return f'"{hashlib.sha256(said.encode()).hexdigest()[:32]}"'
