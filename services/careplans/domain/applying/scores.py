"""What a record says of a score: each Observation, component and answered form that tells of it, with when it was.

http://hl7.org/fhir/R4/observation.html, http://hl7.org/fhir/R4/questionnaireresponse.html
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from services.careplans.domain.applying.classes import Coding, codings, reference_to
from services.careplans.domain.applying.measures import ASSESSMENTS, MEASURES, Assessment, Measure
from services.careplans.domain.applying.moments import moment
from services.careplans.domain.applying.shapes import OBSERVATION, RESPONSE, shaped
from services.careplans.domain.measures.answers import Reading, read, value_of
from services.careplans.domain.measures.scoring import holds, score
from services.careplans.domain.measures.series import Point, Refused, Why, measure_of, point
from services.careplans.domain.measures.units import as_decimal
from shared.fhir.json import Resource

FINAL = frozenset({"final", "amended", "corrected"})
ANSWERED = frozenset({"completed", "amended"})
UNFINISHED = frozenset({"registered", "preliminary", "in-progress", "stopped"})
"""What has no score yet; single answers in it are given all the same, and one of them is a matter of today."""

_KNOWN = frozenset(coding for table in (MEASURES, ASSESSMENTS) for each in table for coding in each.codings)
_SAID = {
    Why.ITEMS: "has answers that its questions do not allow",
    Why.OTHER_UNIT: "is in another unit",
}
_NO_NUMBER = "has no number"
_UNREADABLE = "has an answer that the question does not allow"


@dataclass(frozen=True, slots=True)
class Told:
    """One score or answer, or why there is none in what tells of it."""

    at: datetime
    date: str
    references: tuple[str, ...]
    value: int | Decimal | bool | None
    why: str = ""
    """Of a missing value, to follow "the last one"."""
    by_form: bool = False
    """A QuestionnaireResponse says so, and no Observation."""


@dataclass(frozen=True, slots=True)
class _Source:
    """An Observation, one of its components, or an answered form; with the date of the whole."""

    at: datetime
    date: str
    whole: Resource
    part: Resource


@dataclass(frozen=True, slots=True)
class Sources:
    """What may tell of scores, well-formed and with a date."""

    coded: Mapping[Coding, Sequence[_Source]]
    """Observations and components by each of their codes."""
    forms: Sequence[tuple[_Source, Mapping[str, Reading]]]
    """Answered forms, and what they say by the id of the measure."""


def sources(observations: Sequence[Resource], responses: Sequence[Resource], as_of: datetime) -> Sources:
    """Those that are no mistake and not of the future."""
    coded: dict[Coding, list[_Source]] = {}
    for observation in observations:
        if _KNOWN.isdisjoint(_all_codings(observation)):
            continue
        for found in _dated(shaped(observation, OBSERVATION), FINAL | UNFINISHED, as_of):
            for coding in codings(found.part.get("code")):
                coded.setdefault(coding, []).append(found)
    forms = [
        (found, read(found.whole))
        for response in responses
        for found in _dated(shaped(response, RESPONSE), ANSWERED | UNFINISHED, as_of)
    ]
    return Sources(coded, forms)


def told(wanted: Measure | Assessment, found: Sources) -> Iterator[Told]:
    """Everything that tells of ``wanted``, in any order."""
    for source in (each for coding in wanted.codings for each in found.coded.get(coding, ())):
        said = _said(wanted, source.part) if _counts(wanted, source.whole) else None
        if said is not None:
            yield Told(source.at, source.date, reference_to(source.whole), *said)
    for source, readings in found.forms:
        said = _answered(wanted, readings) if _counts(wanted, source.whole) else None
        if said is not None:
            yield Told(source.at, source.date, reference_to(source.whole), *said, by_form=True)


def _counts(wanted: Measure | Assessment, resource: Resource) -> bool:
    """Whether its status allows to look at ``wanted``: scores and assessments wait until all is answered."""
    return resource["status"] not in UNFINISHED or (isinstance(wanted, Measure) and wanted.item is not None)


_Said = tuple[int | Decimal | bool | None, str]
"""A value, or None and why."""


def _all_codings(observation: Resource) -> Iterator[Coding]:
    """Of it and of its components, however they are written."""
    yield from codings(observation.get("code"))
    components = observation.get("component")
    for component in components if isinstance(components, list) else ():
        if isinstance(component, dict):
            yield from codings(component.get("code"))


def _dated(resource: Resource, statuses: Set[str], as_of: datetime) -> Iterator[_Source]:
    date = _date(resource)
    at = moment(date)
    if resource.get("status") in statuses and date is not None and at is not None and at <= as_of:
        for part in (resource, *resource.get("component", ())):
            yield _Source(at, date, resource, part)


def _date(resource: Resource) -> str | None:
    period = resource.get("effectivePeriod", {})
    names = ("effectiveDateTime", "effectiveInstant")
    stated = (
        *map(resource.get, names),
        period.get("end"),
        period.get("start"),
        *map(resource.get, ("issued", "authored")),
    )
    return next((date for date in stated if date), None)


def _said(wanted: Measure | Assessment, part: Resource) -> _Said | None:
    if isinstance(wanted, Assessment):
        value = part.get("valueBoolean")
        return (value, "") if value is not None else (None, "is neither yes nor no")
    if wanted.item is not None:
        return _of_answer(value_of(wanted.item, part))
    return _of_point(wanted, part) if measure_of(part) is wanted.of else None


def _of_point(measure: Measure, part: Resource) -> _Said:
    if "comparator" in part.get("valueQuantity", {}):
        return None, _NO_NUMBER
    # its own date was looked at before; a component has none
    found = point(measure.of, {**part, "effectiveDateTime": "2000", "status": "final"})
    if isinstance(found, Point):
        return _as_written(part, found), ""
    return None, _why_not(measure, found)


def _why_not(measure: Measure, refused: Refused) -> str:
    if refused.why is Why.OUT_OF_RANGE:
        return f"is outside {measure.lowest} to {measure.highest}"
    return _SAID.get(refused.why, _NO_NUMBER)


def _as_written(part: Resource, found: Point) -> int | Decimal:
    """6.7 as 6.7, although it may stand for 20/3."""
    written = part.get("valueQuantity", {}).get("value", part.get("valueInteger", part.get("valueDecimal")))
    if written is None:
        return as_decimal(found.value)
    exact = Decimal(written)
    return int(exact) if exact == exact.to_integral_value() else exact


def _answered(measure: Measure | Assessment, readings: Mapping[str, Reading]) -> _Said | None:
    if isinstance(measure, Assessment) or (reading := readings.get(measure.of.id)) is None:
        return None
    if measure.item is not None:
        answer = reading.answers.get(measure.item.link)
        return None if answer is None else _of_answer(answer)
    if not holds(measure.of, reading):
        return None
    made = score(measure.of, reading)
    return (None, "was not answered in full") if made.value is None else (as_decimal(made.value), "")


def _of_answer(answer: object) -> _Said:
    return (answer, "") if isinstance(answer, int) else (None, _UNREADABLE if answer is not None else _NO_NUMBER)
