"""References: literal, by bare id, absolute, canonical, by identifier (http://hl7.org/fhir/R4/search.html#reference)."""

import re
from functools import lru_cache
from typing import Any

from shared.errors import Invalid
from shared.fhir.addresses import below
from shared.fhir.search.entries import Entries
from shared.fhir.search.escapes import split_unescaped, unescape
from shared.fhir.search.filters import Filter, Patients, Terms
from shared.fhir.search.parameters import Parameter, parameters_of
from shared.store.indexing import identity, link_term, term

_LOCAL = re.compile(r"^([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?$")
_ID = re.compile(r"^[A-Za-z0-9\-.]{1,64}$")


def reference_term(type_: str, id_: str) -> int:
    """The key that any resource carries which refers to ``type_/id_`` from anywhere in it."""
    return identity(type_, id_)


@lru_cache(maxsize=8_192)
def local(reference: str) -> tuple[str, str] | None:
    """(type, id) of a relative literal reference, without its version; None for anything else."""
    match = _LOCAL.match(reference)
    return (match[1], match[2]) if match else None


def index(parameter: Parameter, fhir_type: str, value: Any, entries: Entries) -> None:
    """Add the keys of ``value``: a Reference, a canonical or a URI."""
    type_, slot = parameter.type, parameter.slot
    if fhir_type != "Reference":
        entries.terms.append(term(type_, slot, value))
        url, bar, _ = value.partition("|")
        if bar:
            entries.terms.append(term(type_, slot, url))
        return
    reference = value.get("reference")
    if reference:
        target = local(reference)
        if target is None:
            entries.terms.append(term(type_, slot, reference))
        else:
            link = (parameter.key, reference_term(*target))
            entries.links.append(link)
            entries.terms.append(link_term(*link))
    identifier = value.get("identifier")
    if identifier and "value" in identifier:
        named = identifier.get("system", ""), identifier["value"]
        for told in ("", f":{_told_type(value)}"):
            entries.terms.append(term(type_, slot, f":identifier{told}", named[1]))
            entries.terms.append(term(type_, slot, f":identifier{told}", *named))


def _told_type(value: Any) -> str:
    """The type of the resource that the Reference ``value`` points at, empty where it does not say."""
    reference = value.get("reference") or ""
    target = local(reference) or local("/".join(reference.partition("/_history/")[0].split("/")[-2:]))
    told: str = target[0] if target else value.get("type") or ""
    return told


def is_reference_to(value: Any, type_: str) -> bool:
    """Whether the Reference ``value`` points at a resource of ``type_`` (``where(resolve() is type_)``)."""
    return _told_type(value) == type_


def criterion(parameter: Parameter, modifier: str, values: list[str], base: str) -> Filter:
    """The filter for a list of ``values``; ``base`` is our own base URL. Raises ``Invalid`` for what names nothing."""
    if modifier == "identifier":
        return Terms(tuple(key for value in values for key in _identifier_keys(parameter, value)))
    patients: list[str] = []
    keys: list[int] = []
    patient_column = _column(parameter)
    for value in values:
        for text in _wanted(parameter, modifier, unescape(value), base):
            target = local(text)
            if patient_column and target and target[0] == "Patient":
                patients.append(target[1])
            if target:
                keys.append(link_term(parameter.key, reference_term(*target)))
            if not target or _may_be_canonical(parameter):
                keys.append(term(parameter.type, parameter.slot, text))
    if patients and len(patients) == len(keys):
        return Patients(tuple(dict.fromkeys(patients)))
    return Terms(tuple(dict.fromkeys(keys)))


def _may_be_canonical(parameter: Parameter) -> bool:
    return any(path.type != "Reference" for path in parameter.paths)


def _column(parameter: Parameter) -> bool:
    """Whether this parameter's Patient references are the ``patient`` column."""
    patient = parameters_of(parameter.type).get("patient")
    return patient is not None and patient.compartment and patient.slot == parameter.slot


def _wanted(parameter: Parameter, modifier: str, text: str, base: str) -> list[str]:
    """The indexed texts that ``text`` asks for; an id alone means each allowed target type."""
    if not text:
        raise Invalid("A reference is an id, Type/id or a URL.", code="value")
    text = below(base, text) or text
    types = (modifier,) if modifier else (parameter.resolves,) if parameter.resolves else parameter.targets
    target = local(text)
    if target:
        refused = (modifier or parameter.resolves) not in ("", target[0])
        return [] if refused else [f"{target[0]}/{target[1]}"]
    if modifier and parameter.resolves not in ("", modifier):
        return []
    if not _ID.match(text):
        only = modifier or parameter.resolves
        return [text] if not only or is_reference_to({"reference": text}, only) else []
    canonical = [text] if _may_be_canonical(parameter) else []
    if not types and parameter.any_target and not canonical:
        raise Invalid("This reference may have any type: write Type/id.", code="value")
    return canonical + [f"{type_}/{text}" for type_ in types]


def _identifier_keys(parameter: Parameter, value: str) -> list[int]:
    """The keys of an identifier. Where one type alone counts, a reference that does not tell its type may be of it."""
    parts = [unescape(part) for part in split_unescaped(value, "|")]
    if len(parts) > 2 or not parts[-1]:
        raise Invalid("An identifier is value, system|value or |value.", code="value")
    told = (f":{parameter.resolves}", ":") if parameter.resolves else ("",)
    return [term(parameter.type, parameter.slot, f":identifier{type_}", *parts) for type_ in told]
