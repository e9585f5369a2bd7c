"""Tokens: codes, codings, identifiers, contact points, booleans (http://hl7.org/fhir/R4/search.html#token).

Codes compare without regard to case, as the specification advises; identifiers and ids as they are written.
"""

from functools import lru_cache
from typing import Any

from shared.errors import Invalid
from shared.fhir.search.entries import Entries
from shared.fhir.search.escapes import split_unescaped, unescape
from shared.fhir.search.filters import Filter, Marked, Terms
from shared.fhir.search.parameters import Parameter
from shared.store.indexing import term

_IMPLICIT = frozenset({"code", "boolean", "string", "id", "uri", "truth"})
"""Types without a system of their own: whatever system a search names is taken to be the implied one."""


def _fold(code: str, exact: bool) -> str:
    return code if exact else code.lower()


@lru_cache(maxsize=32_768)
def _coded(type_: str, slot: str, system: str | None, code: str, exact: bool) -> tuple[int, ...]:
    """The keys of one code; common codes are hashed once."""
    code = _fold(code, exact)
    if system is None:
        return term(type_, slot, code), term(type_, slot, "", code)
    return term(type_, slot, code), term(type_, slot, system, code), term(type_, slot, system, "", "")


def index(parameter: Parameter, fhir_type: str, value: Any, entries: Entries) -> None:
    """Add the keys of ``value``."""
    type_, slot, exact = parameter.type, parameter.slot, parameter.exact
    if fhir_type == "CodeableConcept":
        for coding in value.get("coding", ()):
            if "code" in coding:
                entries.terms += _coded(type_, slot, coding.get("system"), coding["code"], exact)
    elif fhir_type == "Coding":
        if "code" in value:
            entries.terms += _coded(type_, slot, value.get("system"), value["code"], exact)
    elif fhir_type == "Identifier":
        if "value" in value:
            # values are nearly always unique: not worth a place in the cache
            entries.terms += _coded.__wrapped__(type_, slot, value.get("system"), value["value"], True)
    elif fhir_type == "ContactPoint":
        if "value" in value:
            for system in {value.get("system"), value.get("use")}:
                entries.terms += _coded.__wrapped__(type_, slot, system, value["value"], exact)
    elif fhir_type == "boolean":
        entries.terms += _coded(type_, slot, None, "true" if value else "false", exact)
    else:
        entries.terms += _coded(type_, slot, None, value, exact)


def keys(parameter: Parameter, text: str) -> tuple[int, ...]:
    """The key that one search value (``code``, ``system|code``, ``system|``, ``|code``) asks for.

    Raises ``Invalid`` for more than one bar or nothing at all."""
    type_, slot = parameter.type, parameter.slot
    parts = [unescape(part) for part in split_unescaped(text, "|")]
    exact = parameter.exact
    if len(parts) > 2 or not any(parts):
        raise Invalid("A token is code, system|code, system| or |code.", code="value")
    if len(parts) == 1:
        return (term(type_, slot, _fold(parts[0], exact)),)
    system, code = parts
    if code and all(path.type in _IMPLICIT for path in parameter.paths):
        return (term(type_, slot, _fold(code, exact)),)
    if not code:
        return (term(type_, slot, system, "", ""),)
    return (term(type_, slot, system, _fold(code, exact)),)


def criterion(parameter: Parameter, modifier: str, values: list[str]) -> Filter:
    """The filter for a comma list of ``values``. Raises ``Invalid`` for a modifier that tokens do not have here."""
    if modifier not in ("", "not"):
        raise Invalid("This modifier is not supported for token parameters.", code="not-supported")
    if not modifier and values and all(path.type in _IMPLICIT for path in parameter.paths):
        named = [value for value in values if not value.endswith("|")]
        if not named:
            return Marked(parameter.mark, missing=False)
    wanted = dict.fromkeys(key for value in values for key in keys(parameter, value))
    return Terms(tuple(wanted), negated=modifier == "not", rank=0 if parameter.exact else 2)
