"""Which classes of conditions a patient has (http://hl7.org/fhir/R4/condition.html)."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from services.careplans.domain.applying.classes import (
    ICD10,
    ICD10CM,
    Coding,
    ConditionClass,
    codings,
    phrases,
    reference_to,
    status_code,
)
from services.careplans.domain.applying.condition_classes import CONDITION_CLASSES
from services.careplans.domain.applying.inputs import Input
from services.careplans.domain.applying.moments import moment
from services.careplans.domain.applying.naming import means
from shared.fhir.json import Resource

CLASS_SYSTEM = "https://consilium.care/fhir/CodeSystem/condition-class"
"""Our own codes, for conditions that no code of others names."""
PRESENT = frozenset({None, "active", "recurrence", "relapse"})
RULED_OUT = frozenset({"refuted", "entered-in-error"})
CHRONIC = timedelta(days=91)
"""Pain that lasts or comes back for longer than three months is chronic (ICD-11, 2019)."""
PAINS = ("chronic-pain", "pain-with-psychological-factors", "neuropathic-pain")
"""The classes of conditions that are, or cause, the pain itself."""
UNCERTAIN = frozenset({"unconfirmed", "provisional", "differential"})


def present(conditions: Iterable[Resource]) -> list[Resource]:
    """Those that the patient has now: active, or without a clinical status and an end, and not ruled out."""
    return [
        condition
        for condition in conditions
        if _goes_on(condition) and status_code(condition.get("verificationStatus")) not in RULED_OUT
    ]


def _goes_on(condition: Resource) -> bool:
    status = status_code(condition.get("clinicalStatus"))
    # con-4: what has an end is not active
    return status in PRESENT and not (status is None and any(name.startswith("abatement") for name in condition))


def diagnosed(conditions: Sequence[Resource] | None, as_of: datetime | None = None) -> Iterator[Input]:
    """One yes or no per class. Without any recorded condition all of them are unknown.

    Pain that began less than ``CHRONIC`` before ``as_of`` is chronic only where its code or name says so."""
    having = present(conditions or ())
    coded = {id(condition) for condition in having if any(by_code(class_, condition) for class_ in CONDITION_CLASSES)}
    named = [condition for condition in having if id(condition) not in coded]
    members = {
        class_.code: [each for each in having if by_code(class_, each)]
        or [each for each in named if by_name(class_, each)]
        for class_ in CONDITION_CLASSES
    }
    for class_ in CONDITION_CLASSES:
        found = members[class_.code] = [each for each in members[class_.code] if not _is_new(class_, each, as_of)]
        yield _input(class_, found, having, by_name=any(id(each) not in coded for each in found))
    pains = {id(each): each for code in PAINS for each in members[code]}
    yield _uncertainty(list(pains.values()))


def unread(conditions: Iterable[Resource]) -> tuple[str, ...]:
    """References of present conditions that no class knows, by code or by name: no rule has seen them."""
    return tuple(
        reference
        for condition in present(conditions)
        if not any(by_code(class_, condition) or by_name(class_, condition) for class_ in CONDITION_CLASSES)
        for reference in reference_to(condition)
    )


def by_code(class_: ConditionClass, condition: Resource) -> bool:
    """Whether a code of it is one of the class, and its name is none that means something else."""
    return not _is_another(class_, condition) and any(
        _matches(class_, coding) for coding in codings(condition.get("code"))
    )


def _is_another(class_: ConditionClass, condition: Resource) -> bool:
    names = phrases(condition.get("code"))
    return bool(class_.no_name) and any(re.search(class_.no_name, name) for name in names)


def _matches(class_: ConditionClass, coding: Coding) -> bool:
    system, code = coding
    if system in (ICD10, ICD10CM):
        return code.startswith(class_.icd10) and not code.startswith(class_.but_not)
    return coding in class_.exact or coding == (CLASS_SYSTEM, class_.code)


def by_name(class_: ConditionClass, condition: Resource) -> bool:
    """Whether one of its names is of the class, and says that the patient has it."""
    if not class_.name or _is_another(class_, condition):
        return False
    return any(means(class_.name, name) for name in phrases(condition.get("code")))


def _is_new(class_: ConditionClass, condition: Resource, as_of: datetime | None) -> bool:
    """Whether it belongs to a chronic class only by what says nothing of how long it lasts, and began lately."""
    began = moment(condition.get("onsetDateTime"))
    if not class_.any_duration or as_of is None or began is None or as_of - began > CHRONIC:
        return False
    matching = [code for system, code in codings(condition.get("code")) if _matches(class_, (system, code))]
    names = phrases(condition.get("code"))
    said = any(
        "chronic" in name or not re.search(r"\bpain\b|(?<!fibromy)algia|lumbago|backache", name) for name in names
    )
    return not said and all(code.startswith(class_.any_duration) for code in matching)


def _is_readable(condition: Resource) -> bool:
    """Whether it says what it is: by a name, or by a code of a system whose codes the classes cover."""
    concept = condition.get("code")
    return bool(phrases(concept)) or any(
        system in (ICD10, ICD10CM) or any(_matches(class_, (system, code)) for class_ in CONDITION_CLASSES)
        for system, code in codings(concept)
    )


def _input(class_: ConditionClass, members: Sequence[Resource], having: Sequence[Resource], *, by_name: bool) -> Input:
    name, title = class_.variable, class_.title
    if members:
        note = "among the recorded conditions, by its name" if by_name else "among the recorded conditions"
        return Input(name, title, True, _references(members), note=note)
    if not having:
        return Input(name, title, note=f"needs the list of conditions ({title} among them)")
    if dark := [each for each in having if not _is_readable(each)]:
        note = f"needs the name of {_counted(len(dark))} that nobody can tell from the record ({title}?)"
        return Input(name, title, None, _references(dark), note=note)
    return Input(name, title, False, note=f"not among {_counted(len(having))}")


def _counted(count: int) -> str:
    return f"{count} recorded condition{'s' if count > 1 else ''}"


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
    return by_code(class_, condition) or by_name(class_, condition)
