"""URIs: exact, or a whole branch (http://hl7.org/fhir/R4/search.html#uri)."""

from functools import lru_cache
from typing import Any

from shared.errors import Invalid
from shared.fhir.search.entries import Entries
from shared.fhir.search.escapes import unescape
from shared.fhir.search.filters import AnyOf, Filter, Strings, Terms
from shared.fhir.search.parameters import Parameter
from shared.store.indexing import LONGEST_STRING, StringEntry, term

_MOST_BRANCHES = 64
"""Ancestors of a URL that a search goes up through; all of them would be quadratic in its length."""


def _branches(url: str) -> list[str]:
    """``url`` and each of its ancestors: ``http://a/b/c`` -> itself, ``http://a/b``, ``http://a``."""
    scheme, separator, rest = url.partition("://")
    steps = rest.rstrip("/").split("/", _MOST_BRANCHES)[:-1] if separator else []
    return [url] + [scheme + separator + "/".join(steps[:count]) for count in range(len(steps), 0, -1)]


def index(parameter: Parameter, fhir_type: str, value: Any, entries: Entries) -> None:
    """Add the keys of ``value``, with and without the version behind a bar, and its text for what is below."""
    keys, entry = _entries(parameter.type, parameter.slot, parameter.key, value)
    entries.terms += keys
    entries.strings.append(entry)


@lru_cache(maxsize=4_096)
def _entries(type_: str, slot: str, key: int, value: str) -> tuple[tuple[int, ...], StringEntry]:
    """The keys and the text of ``value``; those of common profiles are made once."""
    url, _, _ = value.partition("|")
    return (term(type_, slot, value), term(type_, slot, url)), StringEntry(key, url[:LONGEST_STRING], 0)


def criterion(parameter: Parameter, modifier: str, values: list[str]) -> Filter:
    """The filter for a comma list of ``values``. Raises ``Invalid`` for an empty or very long one."""
    texts = [unescape(value) for value in values]
    if not all(texts):
        raise Invalid("A URI must not be empty.", code="value")
    if modifier == "above":
        texts = [branch for text in texts for branch in _branches(text)]
    elif modifier == "below":
        texts = [text.rstrip("/") for text in texts]
    keys = tuple(dict.fromkeys(term(parameter.type, parameter.slot, text) for text in texts))
    if modifier != "below":
        return Terms(keys)
    roots = tuple(dict.fromkeys(f"{text}/" for text in texts))
    if any(len(root) > LONGEST_STRING for root in roots):
        raise Invalid("The URI is too long for a search below it.", code="value")
    return AnyOf((Terms(keys), Strings(parameter.key, "prefix", roots)))
