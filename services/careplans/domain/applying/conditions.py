"""Which classes of conditions a patient has (http://hl7.org/fhir/R4/condition.html)."""

from collections.abc import Iterable, Iterator, Sequence

from services.careplans.domain.applying.classes import (
    ICD10,
    ICD10CM,
    SNOMED,
    Coding,
    ConditionClass,
    codings,
    reference_to,
    status_code,
)
from services.careplans.domain.applying.condition_classes import CONDITION_CLASSES
from services.careplans.domain.applying.inputs import Input
from shared.fhir.json import Resource

CLASS_SYSTEM = "https://consilium.care/fhir/CodeSystem/condition-class"
"""Our own codes, for conditions that no code of others names."""
PRESENT = frozenset({None, "active", "recurrence", "relapse"})
RULED_OUT = frozenset({"refuted", "entered-in-error"})
UNCERTAIN = frozenset({"unconfirmed", "provisional", "differential"})

_READ = frozenset({ICD10, ICD10CM, SNOMED, CLASS_SYSTEM})


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
    for class_ in CONDITION_CLASSES:
        members = [condition for condition in having if _is_member(class_, condition)]
        yield _input(class_.variable, class_.title, members, having)
    yield _uncertainty([condition for condition in having if _is_member(_CHRONIC_PAIN, condition)])


def uncoded(conditions: Iterable[Resource]) -> tuple[str, ...]:
    """References of present conditions that carry no code of a system that is read here: no class can know them."""
    return tuple(
        reference
        for condition in present(conditions)
        if not any(system in _READ for system, _ in codings(condition.get("code")))
        for reference in reference_to(condition)
    )


def _is_member(class_: ConditionClass, condition: Resource) -> bool:
    return any(_matches(class_, coding) for coding in codings(condition.get("code")))


def _matches(class_: ConditionClass, coding: Coding) -> bool:
    system, code = coding
    if system in (ICD10, ICD10CM):
        return code.startswith(class_.icd10)
    return coding in class_.exact or coding == (CLASS_SYSTEM, class_.code)


_CHRONIC_PAIN = next(class_ for class_ in CONDITION_CLASSES if class_.code == "chronic-pain")


def _input(name: str, title: str, members: Sequence[Resource], having: Sequence[Resource]) -> Input:
    if members:
        return Input(name, title, True, _references(members), note="among the recorded conditions")
    if not having:
        return Input(name, title, note=f"needs the list of conditions: {title}?")
    return Input(name, title, False, note=f"not among {len(having)} recorded condition{'s' if len(having) > 1 else ''}")


def _uncertainty(pains: Sequence[Resource]) -> Input:
    name, title = "uncertainDiagnosis", "Uncertain pain diagnosis"
    doubted = [pain for pain in pains if status_code(pain.get("verificationStatus")) in UNCERTAIN]
    unsaid = [pain for pain in pains if status_code(pain.get("verificationStatus")) is None]
    if doubted:
        return Input(name, title, True, _references(doubted), note="unconfirmed, provisional or differential")
    if not pains or unsaid:
        needed = "the verification status of the pain diagnosis" if pains else "a pain diagnosis"
        return Input(name, title, None, _references(unsaid), note=f"needs {needed}")
    return Input(name, title, False, _references(pains), note="confirmed")


def _references(conditions: Iterable[Resource]) -> tuple[str, ...]:
    return tuple(reference for condition in conditions for reference in reference_to(condition))
