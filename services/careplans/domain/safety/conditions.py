"""The conditions that safety rules ask for: the catalogue's classes, and three of their own."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from services.careplans.domain.applying.classes import ICD10, ICD10CM, ConditionClass, codings, status_code, words
from services.careplans.domain.applying.condition_classes import CONDITION_CLASSES
from services.careplans.domain.applying.conditions import RULED_OUT, UNCERTAIN, by_code, by_name, present
from services.careplans.domain.safety.dates import days_of, start_of
from services.careplans.domain.safety.reading import child, string
from shared.fhir.json import Resource

_OF_CATALOGUE = ("copd", "sleep-apnoea", "kidney-disease", "arrhythmia", "sickle-cell", "cancer", "palliative-care")
CLASSES: Mapping[str, ConditionClass] = {each.code: each for each in CONDITION_CLASSES}

TREATED = timedelta(days=180)
"""How long a treatment of cancer counts after its date."""
_TREATMENT_CODES = ("Z51.0", "Z51.1")
"""ICD-10-CM: encounter for antineoplastic radiation therapy, chemotherapy and immunotherapy."""
_TREATMENT = re.compile(r"chemotherap|radiation therap|radiotherap|antineoplastic|brachytherap", re.I)

_POISONING = ("T40", "T42.4")
"""ICD-10(-CM): poisoning by narcotics, and by benzodiazepines."""
_NO_POISONING = frozenset({"5", "6"})
"""ICD-10-CM, 6th character: adverse effect of what was properly given, and underdosing."""
_OVERDOSE = re.compile(r"\boverdos(e|es|ed|age)\b", re.I)
_NOT_THEIRS = re.compile(r"\b(family|risk|screening|no|not|without|denies|fear|prevention|underdosing)\b", re.I)


def having(conditions: Sequence[Resource]) -> dict[str, tuple[Resource, ...]]:
    """The present conditions of each class that the rules ask for now."""
    now = present(conditions)
    return {code: _of(CLASSES[code], now) for code in _OF_CATALOGUE}


def confirmed(conditions: Sequence[Resource]) -> tuple[Resource, ...]:
    """Those that are no suspicion: a rule is not turned off by what is unconfirmed, provisional or differential."""
    return tuple(each for each in conditions if status_code(each.get("verificationStatus")) not in UNCERTAIN)


def ever(conditions: Sequence[Resource], code: str) -> tuple[Resource, ...]:
    """Those of a class of the catalogue, also what is in remission, resolved or inactive."""
    return _of(CLASSES[code], _not_ruled_out(conditions))


def overdoses(conditions: Sequence[Resource]) -> tuple[Resource, ...]:
    """Past or present poisoning by an opioid, another narcotic or a benzodiazepine."""
    return tuple(each for each in _not_ruled_out(conditions) if _is_overdose(each))


def cancer_treatment(
    conditions: Sequence[Resource], procedures: Sequence[Resource], as_of: date
) -> tuple[Resource, ...]:
    """Signs of a treatment of cancer that goes on, not older than ``TREATED``: an encounter code among the conditions,
    or a procedure where there is cancer."""
    coded = [each for each in confirmed(present(conditions)) if _has_code(each, _TREATMENT_CODES)]
    if not coded and not confirmed(_of(CLASSES["cancer"], present(conditions))):
        return ()
    done = (
        each
        for each in procedures
        if string(each, "status") in {"completed", "in-progress"} and _TREATMENT.search(words(each.get("code")))
    )
    return tuple(each for each in (*coded, *done) if _lately(each, as_of))


def _lately(resource: Resource, as_of: date) -> bool:
    """Without a date a condition that is recorded as active counts."""
    began = start_of(child(resource, "performedPeriod"))
    names = ("recordedDate", "onsetDateTime", "performedDateTime")
    days = next((found.last for name in names if (found := days_of(resource.get(name)))), began)
    if days is None:
        return resource.get("resourceType") == "Condition"
    return days <= as_of <= days + TREATED


def _not_ruled_out(conditions: Sequence[Resource]) -> list[Resource]:
    return [each for each in conditions if status_code(each.get("verificationStatus")) not in RULED_OUT]


def _of(class_: ConditionClass, conditions: Sequence[Resource]) -> tuple[Resource, ...]:
    return tuple(each for each in conditions if by_code(class_, each) or by_name(class_, each))


def _has_code(condition: Resource, beginnings: tuple[str, ...]) -> bool:
    return any(
        system in (ICD10, ICD10CM) and code.startswith(beginnings) for system, code in codings(condition.get("code"))
    )


def _is_overdose(condition: Resource) -> bool:
    coded = [code for system, code in codings(condition.get("code")) if system in (ICD10, ICD10CM)]
    if any(code.startswith(_POISONING) for code in coded):
        return any(code.startswith(_POISONING) and code.replace(".", "")[5:6] not in _NO_POISONING for code in coded)
    name = words(condition.get("code"))
    return bool(_OVERDOSE.search(name)) and not _NOT_THEIRS.search(name)
