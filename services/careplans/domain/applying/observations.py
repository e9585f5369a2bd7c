"""Scores and assessments as variables: the latest that counts, or what is missing and why."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from services.careplans.domain.applying.inputs import Input
from services.careplans.domain.applying.measures import (
    ASSESSMENT_DAYS,
    ASSESSMENTS,
    MEASURES,
    SCORE_DAYS,
    Assessment,
    Measure,
)
from services.careplans.domain.applying.scores import Sources, Told, sources, told
from shared.fhir.json import Resource


def observed(observations: Sequence[Resource], as_of: datetime, responses: Sequence[Resource] = ()) -> Iterator[Input]:
    """The latest score of every measure and the latest answer of every assessment, up to ``as_of``.

    ``responses`` are QuestionnaireResponses: they count where no Observation of the same moment says it."""
    found = sources(observations, responses, as_of)
    for measure in MEASURES:
        yield _input(measure, _latest(measure, found), as_of, SCORE_DAYS)
    for assessment in ASSESSMENTS:
        yield _input(assessment, _latest(assessment, found), as_of, ASSESSMENT_DAYS)


def _latest(wanted: Measure | Assessment, found: Sources) -> Told | None:
    """Of two at the same moment the one with a value, then an Observation, then the one with the greater reference."""
    return max(told(wanted, found), key=_rank, default=None)


def _rank(entry: Told) -> tuple[datetime, bool, bool, tuple[str, ...]]:
    return entry.at, entry.value is not None, not entry.by_form, entry.references


def _input(wanted: Measure | Assessment, latest: Told | None, as_of: datetime, days: int) -> Input:
    name, title = wanted.variable, wanted.title
    if latest is None:
        return Input(name, title, note=f"needs {title}")
    why = latest.why
    if latest.value is not None and as_of - latest.at > timedelta(days=days):
        why = f"is older than {days} days"
    if why:
        note = f"needs {title}: the last one ({latest.date}) {why}"
        return Input(name, title, None, latest.references, latest.date, note)
    return Input(name, title, latest.value, latest.references, latest.date)
