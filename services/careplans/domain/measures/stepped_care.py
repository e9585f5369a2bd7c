"""Stepped care: what repeated scores propose. A draft for people, never applied by itself.

Treat-to-target: measure, step up where the target is missed again and again, step down where it is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from services.careplans.domain.measures.measure import Direction, Goal, Measure, Source
from services.careplans.domain.measures.response import improvement
from services.careplans.domain.measures.series import Point, Series

RULE = "stepped-care"
VERSION = "1"
SOURCE = Source("Project default, for a clinician to sign off", 2025)
CONSECUTIVE = 2
"""Scores in a row that must miss, or keep, the target."""
OFF_TARGET, ON_TARGET = timedelta(weeks=4), timedelta(weeks=12)
"""When to look again after the latest score. CDC 2022 (rec. 7) wants opioid therapy reviewed every three months."""


class Step(StrEnum):
    """What is proposed."""

    UP = "step up"
    HOLD = "hold"
    DOWN = "step down"


class Reason(StrEnum):
    """Why."""

    NO_TARGET = "no-target"
    NO_SCORE = "no-score"
    TOO_FEW_SCORES = "too-few-scores"
    MISSED = "target-missed"
    MISSED_BUT_IMPROVING = "target-missed-but-improving"
    KEPT = "target-kept"
    MIXED = "target-missed-and-kept"


@dataclass(frozen=True, slots=True)
class Proposal:
    """One proposal, with the rule, what it looked at, and what it lacked."""

    measure: Measure
    step: Step
    reason: Reason
    target: Decimal | None
    target_source: Source | None
    """None for a target that people set for this patient."""
    looked_at: tuple[str, ...]
    """``Observation/x``, oldest first."""
    missing: tuple[str, ...]
    """What would be needed to propose more: ``target``, ``scores``."""
    review_due: datetime | None
    """None where there is no score to count from."""
    rule: str = RULE
    version: str = VERSION
    source: Source = SOURCE


def proposal(of: Series, target: Decimal | None = None, *, consecutive: int = CONSECUTIVE) -> Proposal:
    """What the last ``consecutive`` scores propose. ``target``, in the measure's unit, is the patient's own; without it
    the measure's published one counts, where there is one.

    Raises ``ValueError`` where ``consecutive`` is less than 1."""
    if consecutive < 1:
        raise ValueError("At least one score must be looked at.")
    goal = Goal(target, SOURCE) if target is not None else of.measure.goal
    last = of.points[-consecutive:]
    step, reason, missing = _step(of.measure, goal, last, consecutive)
    missed_now = bool(last) and goal is not None and not reaches(of.measure, goal.value, last[-1])
    pause = OFF_TARGET if missed_now or goal is None else ON_TARGET
    return Proposal(
        measure=of.measure,
        step=step,
        reason=reason,
        target=goal.value if goal else None,
        target_source=goal.source if goal and target is None else None,
        looked_at=tuple(point.reference for point in last),
        missing=missing,
        review_due=last[-1].at + pause if last else None,
    )


def reaches(measure: Measure, target: Decimal, point: Point) -> bool:
    """Whether the score is at the target or better."""
    return point.value <= target if measure.direction is Direction.LOWER else point.value >= target


def _step(
    measure: Measure, goal: Goal | None, last: Sequence[Point], consecutive: int
) -> tuple[Step, Reason, tuple[str, ...]]:
    missing = (*(() if goal else ("target",)), *(("scores",) if len(last) < consecutive else ()))
    if goal is None:
        return Step.HOLD, Reason.NO_TARGET, missing
    if missing:
        return Step.HOLD, Reason.TOO_FEW_SCORES if last else Reason.NO_SCORE, missing
    reached = [reaches(measure, goal.value, point) for point in last]
    if all(reached):
        return Step.DOWN, Reason.KEPT, ()
    if any(reached):
        return Step.HOLD, Reason.MIXED, ()
    if _improves(measure, last):
        return Step.HOLD, Reason.MISSED_BUT_IMPROVING, ()
    return Step.UP, Reason.MISSED, ()


def _improves(measure: Measure, last: Sequence[Point]) -> bool:
    """Whether these scores went the right way by a change that matters."""
    better = improvement(measure, last[0].value, last[-1].value)
    return measure.matters is not None and measure.matters.met(better, last[0].value)
