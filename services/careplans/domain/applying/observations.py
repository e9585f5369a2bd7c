"""Scores and assessments from Observations (http://hl7.org/fhir/R4/observation.html)."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from services.careplans.domain.applying.classes import codings, reference_to
from services.careplans.domain.applying.inputs import Input, Value
from services.careplans.domain.applying.measures import (
    ASSESSMENT_DAYS,
    ASSESSMENTS,
    MEASURES,
    SCORE_DAYS,
    Assessment,
    Measure,
)
from services.careplans.domain.applying.moments import moment
from shared.fhir.json import Resource

FINAL = frozenset({"final", "amended", "corrected"})


def observed(observations: Sequence[Resource], as_of: datetime) -> Iterator[Input]:
    """The latest score of every measure and the latest answer of every assessment, up to ``as_of``."""
    for measure in MEASURES:
        yield _score(measure, _latest(observations, measure, as_of), as_of)
    for assessment in ASSESSMENTS:
        yield _answer(assessment, _latest(observations, assessment, as_of), as_of)


def _latest(
    observations: Sequence[Resource], wanted: Measure | Assessment, as_of: datetime
) -> tuple[datetime, Resource] | None:
    """The last one with a date; of two at the same moment the one with the greater id."""
    found = [
        (at, str(observation.get("id", "")), observation)
        for observation in observations
        if observation.get("status") in FINAL and (wanted.system, wanted.code) in codings(observation.get("code"))
        if (at := moment(_date(observation))) is not None and at <= as_of
    ]
    if not found:
        return None
    at, _, observation = max(found, key=lambda entry: entry[:2])
    return at, observation


def _score(measure: Measure, latest: tuple[datetime, Resource] | None, as_of: datetime) -> Input:
    value = None if latest is None else _number(latest[1])
    if latest is not None and value is None:
        return _missing(measure, latest, "has no number")
    if value is not None and not measure.lowest <= value <= measure.highest:
        return _missing(measure, latest, f"is outside {measure.lowest} to {measure.highest}")
    return _input(measure, latest, value, as_of, SCORE_DAYS)


def _answer(assessment: Assessment, latest: tuple[datetime, Resource] | None, as_of: datetime) -> Input:
    value = None if latest is None else latest[1].get("valueBoolean")
    if latest is not None and not isinstance(value, bool):
        return _missing(assessment, latest, "is neither yes nor no")
    return _input(assessment, latest, value, as_of, ASSESSMENT_DAYS)


def _input(
    wanted: Measure | Assessment,
    latest: tuple[datetime, Resource] | None,
    value: Value | None,
    as_of: datetime,
    days: int,
) -> Input:
    if latest is None:
        return Input(wanted.variable, wanted.title, note=f"needs {wanted.title}")
    at, observation = latest
    if as_of - at > timedelta(days=days):
        return _missing(wanted, latest, f"is older than {days} days")
    return Input(wanted.variable, wanted.title, value, reference_to(observation), _date(observation))


def _missing(wanted: Measure | Assessment, latest: tuple[datetime, Resource] | None, why: str) -> Input:
    observation = {} if latest is None else latest[1]
    note = f"needs {wanted.title}: the last one ({_date(observation)}) {why}"
    return Input(wanted.variable, wanted.title, None, reference_to(observation), _date(observation), note)


def _number(observation: Resource) -> int | Decimal | None:
    quantity = observation.get("valueQuantity")
    value = quantity.get("value") if isinstance(quantity, dict) and "comparator" not in quantity else None
    value = observation.get("valueInteger") if value is None else value
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return None
    exact = Decimal(str(value))
    return int(exact) if exact == exact.to_integral_value() else exact


def _date(observation: Resource) -> str | None:
    period = observation.get("effectivePeriod")
    ends: tuple[Any, ...] = (period.get("end"), period.get("start")) if isinstance(period, dict) else ()
    dates = (
        observation.get("effectiveDateTime"),
        observation.get("effectiveInstant"),
        *ends,
        observation.get("issued"),
    )
    return next((date for date in dates if isinstance(date, str)), None)
