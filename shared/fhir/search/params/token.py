"""Tokens: codes, codings, identifiers, contact points, booleans (http://hl7.org/fhir/R4/search.html#token).

Codes compare without regard to case, as the specification advises; identifiers and ids as they are written.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from shared.errors import Invalid
from shared.fhir.search.entries import Entries
from shared.fhir.search.escapes import split_unescaped, unescape
from shared.fhir.search.filters import Filter, Marked, Strings, Terms
from shared.fhir.search.folding import folded
from shared.fhir.search.lookups import Lookups, named
from shared.fhir.search.parameters import ElementPath, Parameter
from shared.fhir.search.terminology import expansion, subsumed
from shared.store.indexing import LONGEST_STRING, StringEntry, term

_IMPLICIT = frozenset({"code", "boolean", "string", "id", "uri", "truth"})
"""Types without a system of their own: whatever system a search names is taken to be the implied one."""
_RARE = frozenset({"Identifier", "ContactPoint"})
"""Their values are nearly always unique: not worth a place in the cache."""


def fold(code: str, exact: bool) -> str:
    """``code`` as it is compared."""
    return code if exact else code.lower()


def codings(fhir_type: str, value: Any) -> Iterator[tuple[str | None, str]]:
    """(system, code) of each coding in ``value``."""
    if fhir_type == "CodeableConcept":
        for coding in value.get("coding", ()):
            if "code" in coding:
                yield coding.get("system"), coding["code"]
    elif fhir_type == "Coding":
        if "code" in value:
            yield value.get("system"), value["code"]
    elif fhir_type == "Identifier":
        if "value" in value:
            yield value.get("system"), value["value"]
    elif fhir_type == "ContactPoint":
        if "value" in value:
            yield from ((system, value["value"]) for system in {value.get("system"), value.get("use")})
    elif fhir_type == "boolean":
        yield None, "true" if value else "false"
    else:
        yield None, value


@lru_cache(maxsize=32_768)
def _keys_of(type_: str, slot: str, system: str | None, code: str, exact: bool) -> tuple[int, ...]:
    """The keys of one code; common codes are hashed once."""
    code = fold(code, exact)
    if system is None:
        return term(type_, slot, code), term(type_, slot, "", code)
    return term(type_, slot, code), term(type_, slot, system, code), term(type_, slot, system, "", "")


def index(parameter: Parameter, fhir_type: str, value: Any, entries: Entries) -> None:
    """Add the keys of ``value``, and the texts that stand beside them."""
    type_, slot, exact = parameter.type, parameter.slot, parameter.exact
    keys_of = _keys_of.__wrapped__ if fhir_type in _RARE else _keys_of
    for system, code in codings(fhir_type, value):
        entries.terms += keys_of(type_, slot, system, code, exact)
    if fhir_type == "Identifier":
        _index_types(parameter, value, entries)
    for text in _texts(fhir_type, value):
        entries.strings.append(_read_as(type_, slot, text))


@lru_cache(maxsize=16_384)
def _read_as(type_: str, slot: str, text: str) -> StringEntry:
    """The entry of one text; those of common codes are made once."""
    return StringEntry(text_key(type_, slot), folded(text)[:LONGEST_STRING], 0)


def _texts(fhir_type: str, value: Any) -> Iterator[str]:
    """What people read: ``:text`` looks at it, and ``_sort`` goes by it. A code by itself is only sorted by."""
    if fhir_type == "CodeableConcept":
        found = [value.get("text"), *(coding.get("display") for coding in value.get("coding", ()))]
    elif fhir_type == "Coding":
        found = [value.get("display")]
    elif fhir_type == "Identifier":
        found = [value.get("type", {}).get("text")]
    elif fhir_type == "code":
        found = [value]
    else:
        return
    yield from (text for text in found if text is not None)


@lru_cache(maxsize=4_096)
def text_key(type_: str, slot: str) -> int:
    """The ``param`` of the texts of a token parameter."""
    return term(type_, slot, ":text")


def _index_types(parameter: Parameter, identifier: Any, entries: Entries) -> None:
    if "value" in identifier:
        for system, code in codings("CodeableConcept", identifier.get("type", {})):
            if system is not None:
                entries.terms.append(_type_key(parameter, system, code, identifier["value"]))


def _type_key(parameter: Parameter, system: str, code: str, value: str) -> int:
    return term(parameter.type, parameter.slot, ":of-type", system, code.lower(), value)


def implied(paths: Sequence[ElementPath]) -> bool:
    """Whether the codes at ``paths`` have no system of their own."""
    return all(path.type in _IMPLICIT for path in paths)


def parts_of(text: str) -> tuple[str | None, str]:
    """(system, code) of a search value: no system for any, an empty one for none, an empty code for every code.

    Raises ``Invalid`` for more than one bar or nothing at all."""
    parts = [unescape(part) for part in split_unescaped(text, "|")]
    if len(parts) > 2 or not any(parts):
        raise Invalid("A token is code, system|code, system| or |code.", code="value")
    return (None, parts[0]) if len(parts) == 1 else (parts[0], parts[1])


def _key(parameter: Parameter, system: str | None, code: str) -> int:
    """The key that a search for ``code`` asks for."""
    type_, slot = parameter.type, parameter.slot
    if system is None or (code and implied(parameter.paths)):
        return term(type_, slot, fold(code, parameter.exact))
    if not code:
        return term(type_, slot, system, "", "")
    return term(type_, slot, system, fold(code, parameter.exact))


def criterion(parameter: Parameter, modifier: str, values: list[str], base: str, lookups: Lookups) -> Filter:
    """The filter for a comma list of ``values``. ``base`` is our own base URL; ``lookups`` hold value sets.

    Raises ``Invalid`` for what is malformed, and for a value set or hierarchy that is not at hand."""
    if modifier == "text":
        return _text(parameter, values)
    if modifier in ("", "not") and implied(parameter.paths) and any(not parts_of(value)[1] for value in values):
        # every code is of the system that is implied
        return Marked(parameter.mark, missing=modifier == "not")
    keys: list[int] = []
    for value in values:
        if modifier in ("in", "not-in"):
            keys += _in(parameter, named(value, base), lookups)
        elif modifier in ("above", "below"):
            keys += _hierarchy(parameter, value, lookups, up=modifier == "above")
        elif modifier == "of-type":
            keys.append(_of_type(parameter, value))
        else:
            keys.append(_key(parameter, *parts_of(value)))
    negated = modifier in ("not", "not-in")
    return Terms(tuple(dict.fromkeys(keys)), negated=negated, rank=0 if parameter.exact else 2)


def _text(parameter: Parameter, values: list[str]) -> Filter:
    texts = tuple(folded(unescape(value))[:LONGEST_STRING] for value in values)
    if not all(texts):
        raise Invalid("A text must not be empty.", code="value")
    return Strings(text_key(parameter.type, parameter.slot), "prefix", texts)


def _in(parameter: Parameter, name: str, lookups: Lookups) -> list[int]:
    found = expansion(lookups.documents, name)
    if found.systems and implied(parameter.paths):
        raise Invalid("The value set cannot be expanded by this server.", code="not-supported")
    keys = [_key(parameter, system, code) for system, code in sorted(found.codes)]
    return keys + [_key(parameter, system, "") for system in sorted(found.systems)]


def _hierarchy(parameter: Parameter, value: str, lookups: Lookups, *, up: bool) -> list[int]:
    system, code = parts_of(value)
    if not system or not code:
        raise Invalid("A code in a hierarchy is written as system|code.", code="value")
    found = subsumed(lookups.documents, system, code, up=up)
    return [_key(parameter, system, each) for each in sorted(found)]


def _of_type(parameter: Parameter, value: str) -> int:
    parts = [unescape(part) for part in split_unescaped(value, "|")]
    if len(parts) != 3 or not all(parts):
        raise Invalid("An identifier of a type is written as system|code|value.", code="value")
    return _type_key(parameter, *parts)
