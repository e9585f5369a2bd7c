"""Strings: prefix match without case and accents, ``:exact``, ``:contains`` (http://hl7.org/fhir/R4/search.html#string)."""

from collections.abc import Iterator
from typing import Any

from shared.errors import Invalid
from shared.fhir.search.entries import Entries
from shared.fhir.search.escapes import unescape
from shared.fhir.search.filters import Filter, Strings
from shared.fhir.search.folding import folded
from shared.fhir.search.parameters import Parameter
from shared.store.indexing import LONGEST_STRING, StringEntry, term

_PARTS = {
    "HumanName": ("family", "given", "prefix", "suffix", "text"),
    "Address": ("text", "line", "city", "district", "state", "country", "postalCode"),
}


def texts_of(fhir_type: str, value: Any) -> Iterator[str]:
    """Every string in ``value``."""
    for part in _PARTS.get(fhir_type, ()):
        found = value.get(part)
        if isinstance(found, str):
            yield found
        elif found:
            yield from (text for text in found if text is not None)
    if isinstance(value, str):
        yield value


def index(parameter: Parameter, fhir_type: str, value: Any, entries: Entries) -> None:
    """Add an entry for each string in ``value``."""
    for text in texts_of(fhir_type, value):
        entries.strings.append(StringEntry(parameter.key, folded(text)[:LONGEST_STRING], term(text)))


def criterion(parameter: Parameter, modifier: str, values: list[str]) -> Filter:
    """The filter for a comma list of ``values``. Raises ``Invalid`` for an empty one."""
    texts = [unescape(value) for value in values]
    if not all(texts):
        raise Invalid("A string must not be empty.", code="value")
    wanted = tuple(folded(text)[:LONGEST_STRING] for text in texts)
    exact = tuple(term(text) for text in texts) if modifier == "exact" else ()
    return Strings(parameter.key, modifier or "prefix", wanted, exact)
