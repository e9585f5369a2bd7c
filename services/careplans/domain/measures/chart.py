"""What a chart of outcome measures shows: rows of scores on their scales, and what happened to the plan beside them.

It names measures, disciplines and steps, and nobody. ``described`` says the same in words, for who cannot see it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.careplans.domain.codes import DISCIPLINE_DISPLAY
from services.careplans.domain.measures.measure import Direction, Measure
from services.careplans.domain.measures.series import Point

TITLE = "Outcome measures and plan events"


class Step(StrEnum):
    """What happened to the plan, as the chart has it."""

    STARTED = "started"
    COMPLETED = "completed"
    REVIEWED = "reviewed"


@dataclass(frozen=True, slots=True)
class PlanEvent:
    """One step of an activity, or of the plan as a whole where there is no discipline."""

    at: datetime
    step: Step
    discipline: str | None = None

    def __str__(self) -> str:
        what = "Plan" if self.step is Step.REVIEWED else DISCIPLINE_DISPLAY.get(self.discipline or "", "Activity")
        return f"{what} {self.step.value}, {self.at:%Y-%m-%d}"


@dataclass(frozen=True, slots=True)
class Row:
    """One measure: its scores, oldest first, and the target (the patient's own, or a published one)."""

    measure: Measure
    points: tuple[Point, ...]
    target: float | None


@dataclass(frozen=True, slots=True)
class Chart:
    """All rows, by measure, with the events, oldest first; ``start`` and ``end`` where only a stretch is shown."""

    rows: tuple[Row, ...]
    events: tuple[PlanEvent, ...]
    start: datetime | None = None
    end: datetime | None = None


def described(chart: Chart) -> str:
    """The chart in sentences."""
    lines = [_row(row) for row in chart.rows if row.points]
    if not lines:
        lines = ["No scores in this time."]
    if chart.events:
        lines.append(f"Events: {'; '.join(map(str, chart.events))}.")
    lines.append("What lies close in time need not be cause and effect.")
    return " ".join(lines)


def _row(row: Row) -> str:
    measure = row.measure
    better = "lower" if measure.direction is Direction.LOWER else "higher"
    said = f"{measure.title} ({measure.low} to {measure.high}, {better} is better): {_points(measure, row.points)}."
    return said if row.target is None else f"{said} Target {row.target:g}."


def _points(measure: Measure, points: Sequence[Point]) -> str:
    return "; ".join(
        f"{point.at:%Y-%m-%d} {float(point.value):.3g}"
        + (f" ({band.replace('-', ' ')})" if (band := measure.band(point.value)) else "")
        for point in points
    )
