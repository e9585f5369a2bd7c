"""Composites: several values that are true of the same element (http://hl7.org/fhir/R4/search.html#composite).

Tokens alone become one key of all of them together. Where one component is a range or a text, its entry stands under a
parameter key of its own for each code that it is beside, so that one index range finds the code and the value at once;
a quantity keeps the systems of the code among the terms of its unit: one entry instead of two.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import product
from typing import Any

from shared.errors import Invalid
from shared.fhir.search.elements import values_at
from shared.fhir.search.entries import Entries
from shared.fhir.search.escapes import split_unescaped, unescape
from shared.fhir.search.filters import AnyOf, Dates, Filter, Quantities, QuantityTest, Strings, Terms
from shared.fhir.search.folding import folded
from shared.fhir.search.parameters import Component, Parameter, Place
from shared.fhir.search.params import date, quantity, string, token
from shared.store.indexing import LONGEST_STRING, DateEntry, QuantityEntry, StringEntry, term

_CODE, _SYSTEM = 0, 1
"""Forms of a code: without its system, and with it."""


def index(type_: str, place: Place, resource: Any, entries: Entries) -> None:
    """Add what ``place`` finds in ``resource``."""
    nodes = values_at(resource, place.path) if place.path.steps else (resource,)
    for node in nodes:
        # backwards: most values are absent, most codes are there
        found = [_values(node, component) for component in reversed(place.components)]
        if all(found):
            _index_element(type_, place, found[::-1], entries)


def _values(node: Any, component: Component) -> list[tuple[str, Any]]:
    return [(path.type, value) for path in component.paths for value in values_at(node, path)]


def _index_element(type_: str, place: Place, found: list[list[tuple[str, Any]]], entries: Entries) -> None:
    codes, ranges = [], []
    kind = ""
    for component, values in zip(place.components, found, strict=True):
        if component.kind == "token":
            codes.append([forms for fhir_type, value in values for forms in _forms(fhir_type, value)])
        else:
            kind, ranges = component.kind, values
    for chosen in product(*codes):
        if kind in ("quantity", "number"):
            systems = tuple(_narrow(number, forms[_SYSTEM]) for number, forms in enumerate(chosen))
            key = _key(type_, place, [forms[_CODE] for forms in chosen])
            for fhir_type, value in ranges:
                measured = quantity.measured(fhir_type, value)
                if measured:
                    units, low, high = measured
                    entries.quantities.append(QuantityEntry(key, units + systems, low, high))
            continue
        for written in product(*chosen):
            key = _key(type_, place, written)
            if not kind:
                entries.terms.append(key)
            for fhir_type, value in ranges:
                _index_range(kind, key, fhir_type, value, entries)


def _index_range(kind: str, key: int, fhir_type: str, value: Any, entries: Entries) -> None:
    if kind == "date":
        span = date.range_of(fhir_type, value)
        if span:
            entries.dates.append(DateEntry(key, *span))
    else:
        for text in string.texts_of(fhir_type, value):
            entries.strings.append(StringEntry(key, folded(text)[:LONGEST_STRING], term(text)))


def _forms(fhir_type: str, value: Any) -> Iterator[tuple[str, str]]:
    """Each coding of ``value`` without and with its system."""
    for system, code in token.codings(fhir_type, value):
        code = token.fold(code, False)
        yield code, f"{system or ''}|{code}"


def _key(type_: str, place: Place, written: Any) -> int:
    return term(type_, "$", place.key, *written)


def _narrow(number: int, written: str) -> int:
    return term("$", str(number), written)


def criterion(parameter: Parameter, values: list[str], now: datetime) -> Filter:
    """The filter for a comma list of ``values`` (``code$value``). Raises ``Invalid`` for what is malformed."""
    keys: list[int] = []
    filters: list[Filter] = []
    for value in values:
        parts = split_unescaped(value, "$")
        for place in parameter.places:
            if len(parts) != len(place.components):
                raise Invalid("A composite has a value for each component, with $ between them.", code="value")
            told = list(zip(place.components, parts, strict=True))
            codes = [_asked(component, part) for component, part in told if component.kind == "token"]
            kind, range_ = next(((c.kind, part) for c, part in told if c.kind != "token"), ("", ""))
            if kind:
                filters.append(_range(parameter.type, place, codes, kind, range_, now))
            else:
                keys.append(_key(parameter.type, place, [code if system is None else system for code, system in codes]))
    if keys:
        return Terms(tuple(keys))
    return filters[0] if len(filters) == 1 else AnyOf(tuple(filters))


def _asked(component: Component, text: str) -> tuple[str, str | None]:
    """The forms of the code that a search value names: without its system, and with it where it names one."""
    system, code = token.parts_of(text)
    if not code:
        raise Invalid("In a composite a token names a code.", code="value")
    code = token.fold(code, False)
    return code, None if system is None or token.implied(component.paths) else f"{system}|{code}"


def _range(
    type_: str, place: Place, codes: list[tuple[str, str | None]], kind: str, text: str, now: datetime
) -> Filter:
    if not text:
        raise Invalid("A component of a composite has no value.", code="value")
    if kind in ("quantity", "number"):
        test = quantity.test_of(kind, text)
        systems = tuple(_narrow(number, system) for number, (_, system) in enumerate(codes) if system is not None)
        narrowed = QuantityTest(test.prefix, test.low, test.high, test.units + systems)
        return Quantities(_key(type_, place, [code for code, _ in codes]), (narrowed,))
    key = _key(type_, place, [code if system is None else system for code, system in codes])
    if kind == "date":
        return Dates(key, (date.test_of(text, now),))
    return Strings(key, "prefix", (folded(unescape(text))[:LONGEST_STRING],))
