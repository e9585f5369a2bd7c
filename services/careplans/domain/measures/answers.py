"""Which items of our measures a QuestionnaireResponse answers, and with what.

An item is recognised by its ``linkId`` in a Questionnaire of ours; in any other by a LOINC code as the last part of the
``linkId`` (``/44249-1/44260-8``, as LOINC forms have it) or by ``definition``
(http://hl7.org/fhir/R4/questionnaireresponse-definitions.html#QuestionnaireResponse.item.definition).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Any

from services.careplans.domain.measures.catalogue import BY_CODE, BY_QUESTIONNAIRE, ITEMS
from services.careplans.domain.measures.measure import LOCAL_ITEMS, LOINC, Item, Measure
from services.careplans.domain.measures.units import fits, number
from shared.fhir.json import Resource

WEIGHTS = (
    "http://hl7.org/fhir/StructureDefinition/ordinalValue",
    "http://hl7.org/fhir/StructureDefinition/itemWeight",
)
"""Extensions on a coded answer that say what it counts."""


class Unread(Enum):
    """An answer is there, and what it counts is not known."""

    UNREADABLE = "unreadable"


Answer = int | Unread


@dataclass(slots=True)
class Reading:
    """What a response says of one measure. An item that is ``asked`` and not in ``answers`` was left open."""

    answers: dict[str, Answer] = field(default_factory=dict)
    """Item link -> answer."""
    asked: set[str] = field(default_factory=set)
    total: Fraction | Unread | None = None
    """A score that the response itself states."""
    ours: bool = False
    """It answers our own Questionnaire."""


def read(response: Resource) -> dict[str, Reading]:
    """What ``response`` says, by measure id; only measures of which it has an item or a total."""
    own = BY_QUESTIONNAIRE.get(_canonical(response.get("questionnaire")))
    readings: dict[str, Reading] = {own.id: Reading(ours=True)} if own else {}
    for element in _elements(response):
        found = _item_of(element, own)
        if found is not None:
            measure, item = found
            reading = readings.setdefault(measure.id, Reading())
            _take(reading, item, element)
        elif (scored := _scored_by(element)) is not None:
            reading = readings.setdefault(scored.id, Reading())
            total = _total(scored, element)
            if total is not None:
                # stated twice and differently: nobody knows which holds
                reading.total = total if reading.total in (None, total) else Unread.UNREADABLE
    return readings


def value_of(item: Item, answer: Resource) -> Answer | None:
    """What one answer (``value[x]``) counts; None where it has no value at all."""
    value = next((value for key, value in answer.items() if key.startswith("value")), None)
    if value is None:
        return None
    counted = _counted(item, value)
    if counted is None or counted.denominator != 1 or not item.low <= counted <= item.high:
        return Unread.UNREADABLE
    return int(counted)


def _counted(item: Item, value: Any) -> Fraction | None:
    words: Mapping[str, int] = item.answers or {}
    if isinstance(value, dict):
        if "value" in value:
            return number(value["value"]) if fits("{score}", value) else None
        codings = value.get("coding") or [value]  # a CodeableConcept of an Observation, or a Coding
        counts = {count for coding in codings if (count := _of_coding(words, coding)) is not None}
        if not counts and isinstance(value.get("text"), str):
            counts = _of_text(words, value["text"])
        return counts.pop() if len(counts) == 1 else None
    if isinstance(value, str):
        known = _of_text(words, value)
        if known:
            return known.pop()
        return Fraction(int(value)) if value.isascii() and value.isdigit() and len(value) < 4 else None
    return number(value)


def _of_coding(words: Mapping[str, int], coding: Resource) -> Fraction | None:
    for extension in coding.get("extension") or ():
        if extension.get("url") in WEIGHTS:
            return number(extension.get("valueDecimal"))
    if coding.get("system") == LOINC and coding.get("code") in words:
        return Fraction(words[coding["code"]])
    known = _of_text(words, coding.get("display"))
    return known.pop() if known else None


def _of_text(words: Mapping[str, int], text: Any) -> set[Fraction]:
    word = text.strip().casefold() if isinstance(text, str) else ""
    return {Fraction(words[word])} if word in words else set()


def _take(reading: Reading, item: Item, element: Resource) -> None:
    reading.asked.add(item.link)
    values = [value for answer in element.get("answer") or () if (value := value_of(item, answer)) is not None]
    if item.link in reading.answers:
        values.append(reading.answers[item.link])
    if values:
        # answered twice and differently: nobody knows which holds
        reading.answers[item.link] = values[0] if len(set(values)) == 1 else Unread.UNREADABLE


def _total(measure: Measure, element: Resource) -> Fraction | Unread | None:
    answers = element.get("answer") or ()
    values = {key: value for answer in answers for key, value in answer.items() if key.startswith("value")}
    if not values:
        return None
    value = next(iter(values.values()))
    if isinstance(value, dict):
        value = value.get("value") if fits(measure.unit, value) else None
    counted = number(value) if isinstance(value, int | Decimal) else None
    if len(answers) > 1 or counted is None or not measure.low <= counted <= measure.high:
        return Unread.UNREADABLE
    return counted


def _item_of(element: Resource, own: Measure | None) -> tuple[Measure, Item] | None:
    if own is not None:
        for item in own.items:
            if element.get("linkId") == item.link:
                return own, item
    return next((ITEMS[code] for code in _codes(element) if code in ITEMS), None)


def _scored_by(element: Resource) -> Measure | None:
    return next((BY_CODE[code] for code in _codes(element) if code in BY_CODE), None)


def _codes(element: Resource) -> Iterator[tuple[str, str]]:
    """Codes that the element may be about."""
    link, definition = element.get("linkId"), element.get("definition")
    if isinstance(link, str):
        yield LOINC, link.rpartition("/")[2]
    if isinstance(definition, str):
        base, _, code = definition.replace("#", "/").rpartition("/")
        yield (LOCAL_ITEMS if base == LOCAL_ITEMS else LOINC if base.startswith(LOINC) else base), code


def _elements(response: Resource) -> Iterator[Resource]:
    """All items, those below items and answers too; not by recursion, as forms may be nested deeply."""
    waiting: list[Resource] = [response]
    while waiting:
        parent = waiting.pop()
        for item in parent.get("item") or ():
            yield item
            waiting += (item, *(item.get("answer") or ()))


def _canonical(url: Any) -> str:
    return url.partition("|")[0] if isinstance(url, str) else ""
