"""What a row of scores says: how far the latest is from the baseline, and which class of response that is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction

from services.careplans.domain.measures.catalogue import VERSION
from services.careplans.domain.measures.measure import Direction, Measure, Source
from services.careplans.domain.measures.series import Point, Series


class Response(StrEnum):
    """Classes, from best to worst."""

    SUBSTANTIAL = "substantial"
    RESPONDER = "responder"
    MINIMAL = "minimal"
    NO_CHANGE = "no change"
    DETERIORATED = "deteriorated"


@dataclass(frozen=True, slots=True)
class Change:
    """Baseline to latest. ``improvement`` is positive where it got better, whichever way the scale runs."""

    measure: Measure
    baseline: Point
    latest: Point
    absolute: Fraction
    """Latest minus baseline, in the measure's unit."""
    relative: Fraction | None
    """``absolute`` as a share of the baseline; None where that is 0."""
    improvement: Fraction
    response: Response | None
    """None where no change that matters is published for the measure."""
    source: Source | None
    """Of the threshold that decided; of ``no change``, of the smallest one, which was missed."""
    version: str = VERSION
    """Of the table of measures."""


def change(of: Series, since: datetime | None = None) -> Change | None:
    """From the baseline to the latest score; None where there are not two. ``since``: when the care began.

    The baseline is the latest score no later than ``since``, or else the first; without ``since``, the first."""
    if len(of.points) < 2:
        return None
    first, latest = baseline(of.points, since), of.points[-1]
    if first is latest:
        return None
    absolute = latest.value - first.value
    response, source = classify(of.measure, first.value, latest.value)
    return Change(
        measure=of.measure,
        baseline=first,
        latest=latest,
        absolute=absolute,
        relative=absolute / first.value if first.value else None,
        improvement=improvement(of.measure, first.value, latest.value),
        response=response,
        source=source,
    )


def baseline(points: Sequence[Point], since: datetime | None = None) -> Point:
    """The score to compare with. ``points`` are oldest first and not empty."""
    earlier = [point for point in points if since is not None and point.at <= since]
    return earlier[-1] if earlier else points[0]


def improvement(measure: Measure, before: Fraction, after: Fraction) -> Fraction:
    """How much better ``after`` is, in the measure's unit; negative where it is worse."""
    return before - after if measure.direction is Direction.LOWER else after - before


def classify(measure: Measure, before: Fraction, after: Fraction) -> tuple[Response | None, Source | None]:
    """The class of the change, and the source of the threshold that decided; (None, None) where none is published."""
    better = improvement(measure, before, after)
    for response, threshold in (
        (Response.SUBSTANTIAL, measure.substantial),
        (Response.RESPONDER, measure.responder),
        (Response.MINIMAL, measure.matters),
    ):
        if threshold is not None and threshold.met(better, before):
            return response, threshold.source
    if measure.matters is None:
        return None, None
    worse = measure.matters.met(-better, before)
    return Response.DETERIORATED if worse else Response.NO_CHANGE, measure.matters.source
