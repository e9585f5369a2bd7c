"""When a new score calls for a review of the plan: it crosses a band, changes the class of response, or the target is
missed on so many scores in a row. Two rows of scores of one measure are compared, so that the same score again is no
news, and one of long ago is history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from services.careplans.domain.measures.measure import Measure
from services.careplans.domain.measures.recency import REVIEW_WITHIN
from services.careplans.domain.measures.response import Response, change
from services.careplans.domain.measures.series import Point, Series
from services.careplans.domain.measures.stepped_care import CONSECUTIVE, Reason, proposal, reaches


class Cause(StrEnum):
    """Why a review is due."""

    BAND = "band-crossed"
    RESPONSE = "response-changed"
    MISSED = "target-missed"


@dataclass(frozen=True, slots=True)
class ReviewDue:
    """A fact: the latest score of a measure calls for a review of the plan. It carries codes, never the score."""

    care_plan: str
    """``CarePlan/x``."""
    patient: str
    measure: str
    causes: tuple[Cause, ...]
    measured: datetime


def causes(
    before: Sequence[Point],
    after: Sequence[Point],
    measure: Measure,
    *,
    target: Decimal | None,
    since: datetime | None,
    now: datetime,
) -> tuple[Cause, ...]:
    """Why the scores ``after`` a write call for a review, compared with those ``before``; both are oldest first.

    ``target`` is the patient's own, ``since`` when the care began. None of them where no score is new, or was taken
    more than ``REVIEW_WITHIN`` before ``now``; a new one that is not the latest can only be one more that misses."""
    fresh = [point for point in after if point not in before and now - point.at <= REVIEW_WITHIN]
    if not fresh:
        return ()
    was, now_ = Series(measure, tuple(before)), Series(measure, tuple(after))
    found = []
    if after[-1] in fresh:
        if before and measure.band(before[-1].value) != measure.band(after[-1].value):
            found.append(Cause.BAND)
        if _changed(_response(was, since), _response(now_, since)):
            found.append(Cause.RESPONSE)
    if _missed_again(was, now_, target):
        found.append(Cause.MISSED)
    return tuple(found)


def _response(of: Series, since: datetime | None) -> Response | None:
    found = change(of, since)
    return found.response if found else None


def _changed(was: Response | None, now: Response | None) -> bool:
    """Whether the class is news; that the first two scores do not differ is none."""
    return now is not None and now != was and not (was is None and now is Response.NO_CHANGE)


def _missed_again(was: Series, now: Series, target: Decimal | None) -> bool:
    """Whether the target is missed on ``CONSECUTIVE`` scores in a row, or on that many more since it was told."""
    proposed = proposal(now, target)
    if proposed.reason is not Reason.MISSED or proposed.target is None:
        return False
    in_a_row = _in_a_row(now, proposed.target)
    return in_a_row % CONSECUTIVE == 0 and in_a_row > _in_a_row(was, proposed.target)


def _in_a_row(of: Series, target: Decimal) -> int:
    """On how many of the latest scores the target is missed."""
    kept = (place for place, point in enumerate(reversed(of.points)) if reaches(of.measure, target, point))
    return next(kept, len(of.points))
