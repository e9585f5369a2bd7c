"""What a class of conditions or medicines is: a variable, a title, and how its members are recognised."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from shared.fhir.json import Resource

ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
ICD11 = "http://id.who.int/icd/release/11/mms"
SNOMED = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"

Coding = tuple[str, str]
"""System and code."""


@dataclass(frozen=True, slots=True)
class ConditionClass:
    """Conditions that matter alike. ``icd10`` are the beginnings of ICD-10(-CM) codes."""

    code: str
    variable: str
    title: str
    icd10: tuple[str, ...] = ()
    exact: tuple[Coding, ...] = ()
    name: str = ""
    """A pattern of its names in English, for conditions whose codes no class knows."""
    verified: tuple[str, ...] = ()
    """Those of the codes that were checked against a public value set; the others were not."""
    but_not: tuple[str, ...] = ()
    """Beginnings of ICD-10(-CM) codes that begin alike and are something else."""
    no_name: str = ""
    """A pattern of names that mean something else."""
    any_duration: tuple[str, ...] = ()
    """Of a chronic condition: beginnings of codes that say nothing of how long it lasts."""


@dataclass(frozen=True, slots=True)
class MedicineClass:
    """Medicines that matter alike: RxNorm ingredients, and their names for products that carry other codes."""

    code: str
    variable: str
    title: str
    ingredients: dict[str, str | None] = field(default_factory=dict)
    """Name -> RxNorm ingredient, or None where it is recognised by name only."""
    unverified: frozenset[str] = frozenset()
    """Names whose code was not checked."""


def codings(concept: Any) -> Iterable[Coding]:
    """The codings of a CodeableConcept; none of what is not one."""
    entries = concept.get("coding") if isinstance(concept, dict) else None
    for coding in entries if isinstance(entries, list) else ():
        if isinstance(coding, dict):
            system, code = coding.get("system"), coding.get("code")
            if isinstance(system, str) and isinstance(code, str):
                yield system, code


def phrases(concept: Any) -> list[str]:
    """The text and the displays of a CodeableConcept, in small letters; those that say something."""
    if not isinstance(concept, dict):
        return []
    entries = concept.get("coding")
    displays = (
        [entry.get("display") for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    )
    return [text.lower() for text in (concept.get("text"), *displays) if isinstance(text, str) and text.strip()]


def words(concept: Any) -> str:
    """The text and displays of a CodeableConcept, in small letters."""
    return " ".join(phrases(concept))


def reference_to(resource: Resource) -> tuple[str, ...]:
    """``Type/id`` of the resource, if it has both."""
    type_, id_ = resource.get("resourceType"), resource.get("id")
    return (f"{type_}/{id_}",) if isinstance(type_, str) and isinstance(id_, str) else ()


def status_code(concept: Any) -> str | None:
    """The code of a CodeableConcept whose binding is required, so that the system may be left out.

    Its text counts where there is no code, and a plain string, as in older releases of FHIR."""
    if isinstance(concept, str):
        return concept.lower()
    entries = concept.get("coding") if isinstance(concept, dict) else None
    codes = [each.get("code") for each in entries if isinstance(each, dict)] if isinstance(entries, list) else []
    text = concept.get("text") if isinstance(concept, dict) else None
    said = next((code for code in codes if isinstance(code, str)), text)
    return said.strip().lower() if isinstance(said, str) else None
