"""Diagnoses that are not certain yet: until when they are looked at again, and which signs would change everything.

``Condition.verificationStatus`` says that one is provisional, differential or unconfirmed
(http://hl7.org/fhir/R4/valueset-condition-ver-status.html); until when it is looked at again, and red flags, stand in
extensions. Imported records rarely have either: a Condition without them is stored, and the plan says what it lacks."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.careplans.domain.measures.self_harm import patient_of
from shared.errors import Unprocessable
from shared.fhir.json import Resource

REVISIT_BY = "https://consilium.care/fhir/StructureDefinition/condition-revisit-by"
"""``valueDate``: by when the diagnosis is confirmed, changed or given a new date."""
RED_FLAG = "https://consilium.care/fhir/StructureDefinition/condition-red-flag"
"""``valueString`` or ``valueCodeableConcept``, one for each: what to look for before then."""
UNCERTAIN = frozenset({"provisional", "differential", "unconfirmed"})
OVER = frozenset({"inactive", "remission", "resolved"})
"""Clinical statuses of what need not be looked at again."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One that is not certain. ``condition`` is an id, ``patient`` a relative reference."""

    condition: str
    version: int
    patient: str
    verification: str
    revisit_by: date | None
    red_flags: int


@dataclass(frozen=True, slots=True)
class Uncertain:
    """What a patient's uncertain diagnoses come to."""

    revisit_by: date | None = None
    """The earliest date."""
    overdue: bool = False
    """It was told of one that its date has passed."""
    undated: bool = False
    """One has no date."""
    unflagged: bool = False
    """One has no red flags."""


@dataclass(frozen=True, slots=True)
class RevisitDue:
    """A fact: the date of an uncertain diagnosis has passed, and it is as uncertain as before."""

    patient: str
    care_plan: str | None
    """``CarePlan/x``, where the patient has a shared plan."""
    revisit_by: date


def diagnosis(condition: Resource | None, id_: str, version: int) -> Diagnosis | None:
    """The Condition as an uncertain diagnosis; None where it is certain, over, a mistake, or of no patient of ours."""
    if condition is None:
        return None
    verification = next((code for code in _codes(condition, "verificationStatus") if code in UNCERTAIN), None)
    patient = patient_of(condition)
    if verification is None or patient is None or OVER & set(_codes(condition, "clinicalStatus")):
        return None
    red_flags = sum(1 for _ in _values(condition, RED_FLAG))
    return Diagnosis(id_, version, patient, verification, _revisit_by(condition), red_flags)


def check_condition(condition: Resource) -> None:
    """Raises ``Unprocessable`` where one of our extensions says nothing that can be kept to."""
    for place, extension in enumerate(condition.get("extension") or ()):
        path = f"Condition.extension[{place}]"
        if extension.get("url") == REVISIT_BY and _day(extension.get("valueDate")) is None:
            text = "A diagnosis is looked at again by a day: valueDate with year, month and day."
            raise Unprocessable(text, code="value", expression=(path,))
        if extension.get("url") == RED_FLAG and not ("valueString" in extension or "valueCodeableConcept" in extension):
            raise Unprocessable("A red flag is a valueString or a valueCodeableConcept.", expression=(path,))
    if len(list(_values(condition, REVISIT_BY))) > 1:
        raise Unprocessable("A diagnosis has one date.", expression=("Condition.extension",))


def _revisit_by(condition: Resource) -> date | None:
    return next((day for value in _values(condition, REVISIT_BY) if (day := _day(value)) is not None), None)


def _values(condition: Resource, url: str) -> Iterator[Any]:
    for extension in condition.get("extension") or ():
        if extension.get("url") == url:
            yield next((value for key, value in extension.items() if key.startswith("value")), None)


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else None
    except ValueError:
        return None


def _codes(condition: Resource, element: str) -> Iterator[str]:
    for coding in (condition.get(element) or {}).get("coding") or ():
        code = coding.get("code")
        if isinstance(code, str):
            yield code
