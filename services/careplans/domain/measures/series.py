"""Observations -> the scores of each measure in their order in time. What is no score is named, not dropped."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Any

from services.careplans.domain.measures.answers import Reading, value_of
from services.careplans.domain.measures.catalogue import BY_CODE, BY_PANEL, ITEMS
from services.careplans.domain.measures.measure import Measure
from services.careplans.domain.measures.observation import FINAL
from services.careplans.domain.measures.scoring import score
from services.careplans.domain.measures.units import decimals_of, fits, number, on_grid
from shared.fhir.json import Resource


class Why(StrEnum):
    """Why an Observation is not among the scores."""

    NOT_FINAL = "not-final"
    NO_TIME = "no-time"
    NO_VALUE = "no-value"
    NOT_A_NUMBER = "not-a-number"
    ITEMS = "items-not-understood"
    OTHER_UNIT = "other-unit"
    OUT_OF_RANGE = "out-of-range"


@dataclass(frozen=True, slots=True)
class Point:
    """One score, exact. ``reference`` is ``Observation/x``."""

    at: datetime
    value: Fraction
    reference: str


@dataclass(frozen=True, slots=True)
class Refused:
    """An Observation of the measure that is no score of it."""

    reference: str
    why: Why


@dataclass(frozen=True, slots=True)
class Series:
    """The scores of one measure of one patient, oldest first, and what was refused."""

    measure: Measure
    points: tuple[Point, ...]
    refused: tuple[Refused, ...] = ()


def series(observations: Iterable[Resource]) -> dict[str, Series]:
    """By measure id, from Observations of one patient in any order.

    Two that say the same of the same moment, as a score and a copy of it, are one."""
    points: dict[str, list[Point]] = {}
    refused: dict[str, set[Refused]] = {}
    measures: dict[str, Measure] = {}
    for observation in observations:
        measure = measure_of(observation)
        if measure is None:
            continue
        measures[measure.id] = measure
        found = point(measure, observation)
        if isinstance(found, Refused):
            refused.setdefault(measure.id, set()).add(found)
        else:
            points.setdefault(measure.id, []).append(found)
    return {
        id_: Series(
            measure,
            in_order(points.get(id_, ())),
            tuple(sorted(refused.get(id_, ()), key=lambda each: (each.reference, each.why))),
        )
        for id_, measure in sorted(measures.items())
    }


def in_order(points: Iterable[Point]) -> tuple[Point, ...]:
    """Oldest first; of those that say the same of the same moment, one."""
    found: dict[tuple[datetime, Fraction], Point] = {}
    for each in points:
        known = found.get((each.at, each.value))
        if known is None or each.reference < known.reference:
            found[each.at, each.value] = each
    return tuple(sorted(found.values(), key=lambda each: (each.at, each.reference)))


def measure_of(observation: Resource) -> Measure | None:
    """The measure that the Observation is a score of, by its code; None for all others.

    A panel is one where it has components; where it has members, those are the scores."""
    for table in (BY_CODE, BY_PANEL) if observation.get("component") else (BY_CODE,):
        for key in _codes(observation.get("code")):
            if key in table:
                return table[key]
    return None


def point(measure: Measure, observation: Resource) -> Point | Refused:
    """The score that ``observation`` is, or why it is none."""
    reference = f"Observation/{observation.get('id', '')}"
    if observation.get("status") not in FINAL:
        return Refused(reference, Why.NOT_FINAL)
    value = _value(measure, observation)
    if isinstance(value, Why):
        return Refused(reference, value)
    at = _time(observation)
    if at is None:
        return Refused(reference, Why.NO_TIME)
    return Point(at, value, reference)


def _value(measure: Measure, observation: Resource) -> Fraction | Why:
    given = next((value for key, value in observation.items() if key.startswith("value")), None)
    if given is None:
        return _of_components(measure, observation)
    plain = given
    if isinstance(given, dict):
        if "value" not in given:
            return Why.NOT_A_NUMBER
        if not fits(measure.unit, given):
            return Why.OTHER_UNIT
        plain = given["value"]
    elif isinstance(given, str) and given.isascii() and given.isdigit() and len(given) < 4:
        plain = int(given)  # as US Core's examples write a total
    value = number(plain)
    if value is None:
        return Why.NOT_A_NUMBER
    if not measure.low <= value <= measure.high:
        return Why.OUT_OF_RANGE
    return on_grid(measure, value, decimals_of(plain))


def _of_components(measure: Measure, observation: Resource) -> Fraction | Why:
    """The score of a panel whose items are its components."""
    if not any(key in BY_PANEL for key in _codes(observation.get("code"))):
        return Why.NO_VALUE
    reading = Reading()
    for component in observation.get("component") or ():
        found = next((ITEMS[key] for key in _codes(component.get("code")) if key in ITEMS), None)
        answer = value_of(found[1], component) if found and found[0] is measure else None
        if found and answer is not None:
            reading.answers[found[1].link] = answer
    made = score(measure, reading)
    if made.value is None:
        return Why.ITEMS if made.unreadable else Why.NO_VALUE
    return made.value


def _codes(concept: Any) -> list[tuple[str, str]]:
    codings = concept.get("coding") or () if isinstance(concept, dict) else ()
    return [(coding.get("system", ""), coding.get("code", "")) for coding in codings]


def _time(observation: Mapping[str, Any]) -> datetime | None:
    period = observation.get("effectivePeriod") or {}
    stated = (
        observation.get("effectiveDateTime"),
        observation.get("effectiveInstant"),
        period.get("start"),
        period.get("end"),
        observation.get("issued"),
    )
    return next((at for text in stated if (at := moment(text)) is not None), None)


def moment(text: Any) -> datetime | None:
    """A FHIR date or dateTime as the moment that it begins, in UTC where it has no zone; None for anything else."""
    if not isinstance(text, str):
        return None
    whole = text + {4: "-01-01", 7: "-01"}.get(len(text), "")
    try:
        at = datetime.fromisoformat(whole.replace(":60", ":59"))
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # the year 0000, or the first hours of the year 1
        return None


def latest_moment(text: Any) -> datetime | None:
    """The last moment that a FHIR date or dateTime may mean: of a day, a month or a year, its end, in the
    zone that is the furthest behind (UTC-12). None for what is no date."""
    at = moment(text)
    if at is None:
        return None
    length = {4: timedelta(days=366), 7: timedelta(days=31), 10: timedelta(days=1)}.get(len(text))
    try:
        return at if length is None else at + length + timedelta(hours=12)
    except OverflowError:  # the last days of the year 9999
        return at
