"""What the chart of a plan's outcome measures is made of."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from services.careplans.app.measures import found_of
from services.careplans.app.timeline import Moment, moments_of
from services.careplans.domain.measures.chart import Chart, PlanEvent, Row, Step
from services.careplans.domain.measures.series import Series
from services.careplans.domain.minutes import EARLIEST, Kind, counting
from services.careplans.store import minutes
from shared.engine import Engine
from shared.security.caller import Caller

VERSIONS = 200
"""Of the plan and its team, the newest: what happened in older ones is not drawn."""
_STEPS = {"in-progress": Step.STARTED, "completed": Step.COMPLETED}
"""Activity status -> what the chart calls it when it comes up first."""


async def chart_of(
    engine: Engine,
    caller: Caller,
    plan_id: str,
    *,
    measures: Iterable[str] = (),
    start: date | None = None,
    end: date | None = None,
) -> Chart:
    """The scores of ``measures`` (ids; all where there are none) and what happened to the plan, from ``start`` to
    ``end``, both days included, in UTC. Raises ``NotFound`` or ``Gone``."""
    found = await found_of(engine, caller, plan_id)
    since = None if start is None else datetime.combine(start, time.min, UTC)
    until = None if end is None else datetime.combine(end, time.min, UTC) + timedelta(days=1)

    def within(at: datetime) -> bool:
        return (since is None or at >= since) and (until is None or at < until)

    wanted = frozenset(measures)
    rows = []
    for id_, of in found.series.items():
        points = tuple(point for point in of.points if within(point.at))
        if points and (not wanted or id_ in wanted):
            rows.append(Row(of.measure, points, _target(of, found.targets.get(id_))))
    steps = [*events_of(await moments_of(engine, plan_id, limit=VERSIONS)), *await _reviews(engine, plan_id)]
    events = sorted(steps, key=lambda event: event.at)
    return Chart(tuple(rows), tuple(event for event in events if within(event.at)), since, until)


async def _reviews(engine: Engine, plan_id: str) -> list[PlanEvent]:
    entries = await minutes.of_plans(engine.pool, [plan_id], EARLIEST, date.max)
    days = {entry.day for entry in counting(entries) if entry.kind is Kind.PLAN_REVIEW}
    return [PlanEvent(datetime.combine(day, time(12), UTC), Step.REVIEWED) for day in days]


def events_of(moments: Iterable[Moment]) -> Iterator[PlanEvent]:
    """When activities were started and completed for the first time, oldest first."""
    seen: set[tuple[str | None, str | None, Step]] = set()
    for moment in moments:
        step = _STEPS.get(moment.activity_status or "")
        key = (moment.activity, moment.discipline, step) if step else None
        if step is not None and key is not None and key not in seen:
            seen.add(key)
            yield PlanEvent(moment.at, step, moment.discipline)


def _target(of: Series, own: Decimal | None) -> float | None:
    if own is not None:
        return float(own)
    return None if of.measure.goal is None else float(of.measure.goal.value)
