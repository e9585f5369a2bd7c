"""PHQ-9 item 9: any answer but "not at all" is a matter of the same day, whatever the total is (Kroenke et al., 2001).

An answer that cannot be read is told as well, as not certain: nobody has seen that it is harmless. One that was given
long ago and comes in only now is told as history (``recency``): no matter of today, and to be seen all the same.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.careplans.domain.measures.answers import Answer, Unread, read, value_of
from services.careplans.domain.measures.mind import PHQ9, SELF_HARM
from services.careplans.domain.measures.recency import is_history
from shared.fhir.json import Resource

ITEM_CODE = "44260-8"
"""LOINC."""
_PATIENT = re.compile(r"(?P<patient>Patient/[A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?").fullmatch
_VOID = frozenset({"entered-in-error", "cancelled"})


@dataclass(frozen=True, slots=True)
class SelfHarmItemPositive:
    """A fact: the item became positive in a response or an Observation. It never carries the answer."""

    patient: str | None
    """``Patient/x``; None where the resource does not say so, or names a patient of another server."""
    certain: bool
    """False where the answer could not be read."""
    measured: str | None = None
    """The date or time of the answer, as it was sent."""
    history: bool = False
    """It was given long ago."""


def self_harm_facts(before: Resource | None, after: Resource | None, now: datetime) -> tuple[SelfHarmItemPositive, ...]:
    """The fact of one write of a QuestionnaireResponse or an Observation, where the item was not positive before.

    Answers count before the form is finished, too, and when it was given up."""
    was, answer = _answer(before), _answer(after)
    if after is None or answer in (None, 0):
        return ()
    known = isinstance(answer, int)
    if was not in (None, 0) and (isinstance(was, int) or not known):
        return ()
    measured = when_answered(after)
    return (SelfHarmItemPositive(patient_of(after), known, measured, is_history(measured, now)),)


def answered(resource: Resource | None) -> bool | None:
    """Whether the answer is harmless (False) or not, or unreadable (True); None where there is no answer."""
    answer = _answer(resource)
    return None if answer is None else answer != 0


def when_answered(resource: Resource) -> str | None:
    """When the answer was given, as the resource says; of a period its end."""
    period = resource.get("effectivePeriod") or {}
    stated = (
        *(resource.get(name) for name in ("authored", "effectiveDateTime", "effectiveInstant")),
        period.get("end"),
        period.get("start"),
        resource.get("issued"),
    )
    return next((text for text in stated if isinstance(text, str)), None)


def patient_of(resource: Resource) -> str | None:
    """``Patient/x`` that the resource is about, where that is one of ours."""
    subject = resource.get("subject")
    found = _PATIENT(str(subject.get("reference"))) if isinstance(subject, dict) else None
    return found["patient"] if found else None


def _answer(resource: Resource | None) -> Answer | None:
    if resource is None or resource.get("status") in _VOID:
        return None
    if resource["resourceType"] == "QuestionnaireResponse":
        reading = read(resource).get(PHQ9.id)
        return reading.answers.get(SELF_HARM.link) if reading else None
    answers = set(_observed(resource))
    return answers.pop() if len(answers) == 1 else Unread.UNREADABLE if answers else None


def _observed(observation: Resource) -> Iterator[Answer]:
    for part in (observation, *(observation.get("component") or ())):
        if _is_item(part.get("code")) and (answer := value_of(SELF_HARM, part)) is not None:
            yield answer


def _is_item(concept: Any) -> bool:
    codings = concept.get("coding") or () if isinstance(concept, dict) else ()
    return any(
        coding.get("code") == code.code and coding.get("system") == code.system
        for coding in codings
        for code in SELF_HARM.codes
    )
