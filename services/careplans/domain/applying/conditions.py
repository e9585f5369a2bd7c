"""Which classes of conditions a patient has (http://hl7.org/fhir/R4/condition.html)."""

import re
from collections.abc import Iterable, Iterator, Sequence

from services.careplans.domain.applying.classes import (
    ICD10,
    ICD10CM,
    Coding,
    ConditionClass,
    codings,
    reference_to,
    status_code,
    words,
)
from services.careplans.domain.applying.condition_classes import CONDITION_CLASSES
from services.careplans.domain.applying.inputs import Input
from shared.fhir.json import Resource

CLASS_SYSTEM = "https://consilium.care/fhir/CodeSystem/condition-class"
"""Our own codes, for conditions that no code of others names."""
PRESENT = frozenset({None, "active", "recurrence", "relapse"})
RULED_OUT = frozenset({"refuted", "entered-in-error"})
UNCERTAIN = frozenset({"unconfirmed", "provisional", "differential"})

_OF_OTHERS = re.compile(r"\b(family|history|suspected|screening|risk|no|not|without|rule out|fear of)\b")
"""Words of a name that may mean that the patient has not got it."""


def present(conditions: Iterable[Resource]) -> list[Resource]:
    """Those that the patient has now: active or without a clinical status, and not ruled out."""
    return [
        condition
        for condition in conditions
        if status_code(condition.get("clinicalStatus")) in PRESENT
        and status_code(condition.get("verificationStatus")) not in RULED_OUT
    ]


def diagnosed(conditions: Sequence[Resource] | None) -> Iterator[Input]:
    """One yes or no per class. Without any recorded condition all of them are unknown."""
    having = present(conditions or ())
    coded = {id(condition) for condition in having if any(_by_code(class_, condition) for class_ in CONDITION_CLASSES)}
    named = [condition for condition in having if id(condition) not in coded]
    members = {
        class_.code: [each for each in having if _by_code(class_, each)]
        or [each for each in named if _by_name(class_, each)]
        for class_ in CONDITION_CLASSES
    }
    for class_ in CONDITION_CLASSES:
        found = members[class_.code]
        yield _input(class_, found, len(having), by_name=any(id(each) not in coded for each in found))
    yield _uncertainty(members["chronic-pain"])


def unread(conditions: Iterable[Resource]) -> tuple[str, ...]:
    """References of present conditions that no class knows, by code or by name: no rule has seen them."""
    return tuple(
        reference
        for condition in present(conditions)
        if not any(_by_code(class_, condition) or _by_name(class_, condition) for class_ in CONDITION_CLASSES)
        for reference in reference_to(condition)
    )


def _by_code(class_: ConditionClass, condition: Resource) -> bool:
    return any(_matches(class_, coding) for coding in codings(condition.get("code")))


def _matches(class_: ConditionClass, coding: Coding) -> bool:
    system, code = coding
    if system in (ICD10, ICD10CM):
        return bool(class_.icd10) and code.startswith(class_.icd10)
    return coding in class_.exact or coding == (CLASS_SYSTEM, class_.code)


def _by_name(class_: ConditionClass, condition: Resource) -> bool:
    name = words(condition.get("code"))
    return bool(class_.name) and not _OF_OTHERS.search(name) and re.search(class_.name, name) is not None


def _input(class_: ConditionClass, members: Sequence[Resource], recorded: int, *, by_name: bool) -> Input:
    name, title = class_.variable, class_.title
    if members:
        note = "among the recorded conditions, by its name" if by_name else "among the recorded conditions"
        return Input(name, title, True, _references(members), note=note)
    if not recorded:
        return Input(name, title, note=f"needs the list of conditions ({title} among them)")
    return Input(name, title, False, note=f"not among {recorded} recorded condition{'s' if recorded > 1 else ''}")


def _uncertainty(pains: Sequence[Resource]) -> Input:
    name, title = "uncertainDiagnosis", "Uncertain pain diagnosis"
    doubted = [pain for pain in pains if status_code(pain.get("verificationStatus")) in UNCERTAIN]
    unsaid = [pain for pain in pains if status_code(pain.get("verificationStatus")) is None]
    if doubted:
        return Input(name, title, True, _references(doubted), note="is unconfirmed, provisional or differential")
    if not pains or unsaid:
        needed = "the verification status of the pain diagnosis" if pains else "a pain diagnosis"
        return Input(name, title, None, _references(unsaid), note=f"needs {needed}")
    return Input(name, title, False, _references(pains), note="is not: it is confirmed")


def _references(conditions: Iterable[Resource]) -> tuple[str, ...]:
    return tuple(reference for condition in conditions for reference in reference_to(condition))


def in_class(code: str, condition: Resource) -> bool:
    """Whether a Condition belongs to the class of that ``code``, by its codes or, without any, by its name."""
    class_ = next(each for each in CONDITION_CLASSES if each.code == code)
    return _by_code(class_, condition) or _by_name(class_, condition)
