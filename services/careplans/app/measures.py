"""What the outcome measures of a plan's patient say: rows of scores ready to plot, the change, and what it proposes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from services.careplans.app.queries import require_view
from services.careplans.domain.codes import reference_of
from services.careplans.domain.measures.catalogue import MEASURES
from services.careplans.domain.measures.measure import Measure
from services.careplans.domain.measures.response import Change, change
from services.careplans.domain.measures.series import Point, Series, moment, series
from services.careplans.domain.measures.stepped_care import Proposal, proposal
from services.careplans.domain.measures.targets import targets
from services.careplans.domain.measures.units import as_decimal
from shared.engine import Engine
from shared.fhir.json import Resource, loads
from shared.fhir.search import search
from shared.fhir.search.access import condition
from shared.reading import current
from shared.security.caller import Caller
from shared.store import resources

MOST = 1_000
"""Observations, the newest first."""
_PATIENT = re.compile(r"(?P<patient>Patient/[A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?").fullmatch
_CODES = ",".join(
    f"{code.system}|{code.code}"
    for measure in MEASURES
    for code in (*measure.codes, *((measure.panel,) if measure.panel else ()))
)


@dataclass(frozen=True, slots=True)
class Score:
    """One score. ``band`` is the measure's code of severity."""

    at: datetime
    value: float
    band: str | None
    observation: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """A band begins at ``start``, or just above it."""

    code: str
    start: float
    above: bool


@dataclass(frozen=True, slots=True)
class NoScore:
    """An Observation of the measure that is not among the scores."""

    observation: str
    why: str


@dataclass(frozen=True, slots=True)
class Course:
    """Baseline to latest; ``relative`` is a share of the baseline. ``response`` is null where no threshold is known."""

    baseline: Score
    latest: Score
    absolute: float
    relative: float | None
    response: str | None
    source: str | None
    version: str


@dataclass(frozen=True, slots=True)
class Proposed:
    """What the newest scores propose: a draft for people."""

    step: str
    reason: str
    target: float | None
    target_source: str | None
    """Null for the patient's own."""
    looked_at: tuple[str, ...]
    missing: tuple[str, ...]
    review_due: datetime | None
    rule: str
    version: str
    source: str


@dataclass(frozen=True, slots=True)
class Measured:
    """One measure: the scale, the scores in their order in time, and what they say."""

    measure: str
    title: str
    system: str
    code: str
    unit: str
    low: float
    high: float
    direction: str
    note: str
    bands: tuple[Stretch, ...]
    bands_source: str | None
    scores: tuple[Score, ...]
    refused: tuple[NoScore, ...]
    change: Course | None
    proposal: Proposed


@dataclass(frozen=True, slots=True)
class Measures:
    """All measures of which there are Observations. ``complete`` is false where there are older ones still."""

    care_plan: str
    patient: str | None
    complete: bool
    measures: tuple[Measured, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of a plan's measures. ``targets`` and ``series`` are by measure id."""

    plan: Resource
    patient: str | None
    complete: bool
    targets: Mapping[str, Decimal]
    series: Mapping[str, Series]


async def measures_of(engine: Engine, caller: Caller, plan_id: str) -> Measures:
    """The measures of the plan's patient, as far as the caller may see them; the plan's start sets the baseline, its
    Goals the targets. Raises ``NotFound`` or ``Gone``."""
    found = await found_of(engine, caller, plan_id)
    since = moment((found.plan.get("period") or {}).get("start"))
    return Measures(
        f"CarePlan/{plan_id}",
        found.patient,
        found.complete,
        tuple(
            _measured(of, change(of, since), proposal(of, found.targets.get(id_))) for id_, of in found.series.items()
        ),
    )


async def found_of(engine: Engine, caller: Caller, plan_id: str) -> Found:
    """The plan, its targets, and the patient's scores, as far as the caller may see them.

    Raises ``NotFound`` or ``Gone``."""
    stored = await current(engine, caller, "CarePlan", plan_id)
    plan: Resource = loads(stored.body)
    patient = reference_of(plan.get("subject"))
    require_view(caller, patient)
    complete, found = await scores_of(engine, caller, patient)
    wanted = targets(await _goals(engine, caller, plan)) if _PATIENT(patient or "") else {}
    return Found(plan, patient, complete, wanted, found)


async def scores_of(engine: Engine, caller: Caller, patient: str | None) -> tuple[bool, Mapping[str, Series]]:
    """The scores of a patient by measure, as far as the caller may see them, and whether these are all."""
    known = _PATIENT(patient or "")
    if known is None:  # a group, or a patient of another server
        return True, {}
    asked = [("patient", known["patient"]), ("code", _CODES), ("_sort", "-date"), ("_count", str(MOST))]
    access = engine.access(caller)
    page = await search(engine.pool, "Observation", asked, access=access, clock=engine.clock)
    return page.next is None, series(loads(each.body) for each in page.matches)


async def _goals(engine: Engine, caller: Caller, plan: Resource) -> Sequence[Resource]:
    references = {reference_of(goal) or "" for goal in plan.get("goal") or ()}
    keys = sorted(("Goal", reference.split("/")[1]) for reference in references if reference.startswith("Goal/"))
    if not keys:
        return ()
    found = await resources.read_many(engine.pool, keys, seen=condition(engine.access(caller), {"Goal"}))
    return [loads(stored.body) for stored in found if not stored.deleted]


def _measured(of: Series, course: Change | None, proposed: Proposal) -> Measured:
    measure = of.measure
    return Measured(
        measure=measure.id,
        title=measure.title,
        system=measure.coding.system,
        code=measure.coding.code,
        unit=measure.unit,
        low=float(measure.low),
        high=float(measure.high),
        direction=measure.direction,
        note=measure.note,
        bands=tuple(Stretch(band.code, float(band.start), band.above) for band in measure.bands),
        bands_source=str(measure.bands_source) if measure.bands_source else None,
        scores=tuple(_score(measure, point) for point in of.points),
        refused=tuple(NoScore(each.reference, each.why) for each in of.refused),
        change=_course(course) if course else None,
        proposal=_proposed(proposed),
    )


def score_of(measure: Measure, point: Point | None) -> Score | None:
    """``point`` as it is told."""
    return None if point is None else _score(measure, point)


def _score(measure: Measure, point: Point) -> Score:
    return Score(point.at, _number(point.value), measure.band(point.value), point.reference)


def _course(course: Change) -> Course:
    return Course(
        baseline=_score(course.measure, course.baseline),
        latest=_score(course.measure, course.latest),
        absolute=_number(course.absolute),
        relative=None if course.relative is None else round(float(course.relative), 4),
        response=course.response,
        source=str(course.source) if course.source else None,
        version=course.version,
    )


def _proposed(of: Proposal) -> Proposed:
    return Proposed(
        step=of.step,
        reason=of.reason,
        target=None if of.target is None else float(of.target),
        target_source=str(of.target_source) if of.target_source else None,
        looked_at=of.looked_at,
        missing=of.missing,
        review_due=of.review_due,
        rule=of.rule,
        version=of.version,
        source=str(of.source),
    )


def _number(value: Fraction) -> float:
    return float(as_decimal(value))
