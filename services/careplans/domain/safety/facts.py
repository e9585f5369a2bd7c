"""What the rules look at: one patient's record on one day, read once."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from services.careplans.domain.applying.classes import codings, words
from services.careplans.domain.applying.extensions import TREATMENT
from services.careplans.domain.safety import acetaminophen, conditions, kidney, mme
from services.careplans.domain.safety.dates import ages, days_of, end_of
from services.careplans.domain.safety.kidney import Egfr
from services.careplans.domain.safety.merging import MedicationList, Record, merge
from services.careplans.domain.safety.reading import child, own_reference, string
from services.careplans.domain.safety.totals import Total
from shared.fhir.json import Resource

_REVIEW = re.compile(r"\b(medication|medicines?|drug)s?\b.*\breview|\breview of medic", re.I)
REVIEW_CODE = (TREATMENT, "medicines-review")
"""The catalogue's own code of a medication review."""
ADULT = 18
_EXCLUDING = {"sickle-cell": "sickle cell disease", "palliative-care": "palliative care"}


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Why the rules of CDC 2022 do not hold for this patient."""

    why: str
    references: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """One patient on the day ``as_of``."""

    as_of: date
    patient: str | None
    """``Patient/x``."""
    age: tuple[int, int] | None
    """The lowest and the highest that it can be; None without a birth date."""
    medicines: MedicationList
    mme: Total
    acetaminophen: Total
    conditions: dict[str, tuple[Resource, ...]]
    """Present ones, by class."""
    substance_use: tuple[Resource, ...]
    """Present and past."""
    overdoses: tuple[Resource, ...]
    egfr: Egfr | None
    egfr_refused: tuple[str, ...]
    reviewed: tuple[date, str] | None
    """The last review of medicines: its day and its resource."""
    exclusions: tuple[Exclusion, ...]
    unsure: tuple[str, ...]
    """What may exclude the patient, and is not known."""

    def has(self, code: str) -> tuple[str, ...]:
        """References of the present conditions of a class."""
        return references(self.conditions[code])


def facts_of(record: Record, as_of: date) -> Facts:
    """Read the record of one patient."""
    patient = next(iter(record.get("Patient", ())), {})
    born = days_of(patient.get("birthDate"))
    age = ages(born, as_of) if born and born.first <= as_of else None
    listed = record.get("Condition", ())
    found = conditions.having(listed)
    treated = conditions.cancer_treatment(listed, record.get("Procedure", ()), as_of)
    medicines = merge(record, as_of)
    egfr, refused = kidney.latest(record.get("Observation", ()), as_of)
    return Facts(
        as_of,
        own_reference(patient) if patient else None,
        age,
        medicines,
        mme.equivalents(medicines),
        acetaminophen.daily(medicines),
        found,
        conditions.ever(listed, "substance-use"),
        conditions.overdoses(listed),
        egfr,
        refused,
        _review(record.get("Procedure", ()), as_of),
        tuple(_exclusions(patient, age, found, treated)),
        tuple(_unsure(age, found, treated)),
    )


def references(resources: Sequence[Resource]) -> tuple[str, ...]:
    """``Type/id`` of each."""
    return tuple(own_reference(each) for each in resources)


def _exclusions(
    patient: Resource,
    age: tuple[int, int] | None,
    found: dict[str, tuple[Resource, ...]],
    treated: tuple[Resource, ...],
) -> list[Exclusion]:
    reasons = list[Exclusion]()
    if age is not None and age[1] < ADULT:
        reasons.append(Exclusion("under 18 years", (own_reference(patient),)))
    for code, why in _EXCLUDING.items():
        if sure := conditions.confirmed(found[code]):
            reasons.append(Exclusion(why, references(sure)))
    if treated:
        reasons.append(Exclusion("active cancer treatment", references((*found["cancer"], *treated))))
    return reasons


def _unsure(
    age: tuple[int, int] | None, found: dict[str, tuple[Resource, ...]], treated: tuple[Resource, ...]
) -> list[str]:
    reasons = list[str]()
    if age is None:
        reasons.append("the birth date: the rules hold from 18 years on")
    elif age[0] < ADULT <= age[1]:
        reasons.append("the day of birth: whether the patient is 18 years old")
    for code, what in _EXCLUDING.items():
        if found[code] and not conditions.confirmed(found[code]):
            reasons.append(f"whether {what} is confirmed")
    if found["cancer"] and not treated:
        reasons.append("whether the cancer on record is under treatment: no sign of it in the last 180 days")
    return reasons


def _review(procedures: Sequence[Resource], as_of: date) -> tuple[date, str] | None:
    """The last completed review among the procedures."""
    found = [
        (day, own_reference(each))
        for each in procedures
        if string(each, "status") == "completed" and _is_review(each)
        if (day := _performed(each)) is not None and day <= as_of
    ]
    return max(found, default=None)


def _is_review(procedure: Resource) -> bool:
    code = procedure.get("code")
    return REVIEW_CODE in codings(code) or bool(_REVIEW.search(words(code)))


def _performed(procedure: Resource) -> date | None:
    days = days_of(procedure.get("performedDateTime"))
    return days.last if days else end_of(child(procedure, "performedPeriod"))
