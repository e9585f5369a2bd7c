"""URIs: exact, or a whole branch (http://hl7.org/fhir/R4/search.html#uri)."""

from typing import Any

from shared.errors import Invalid
from shared.fhir.search.entries import Entries
from shared.fhir.search.escapes import unescape
from shared.fhir.search.filters import Filter, Terms
from shared.fhir.search.parameters import Parameter
from shared.store.indexing import term

_MOST_BRANCHES = 64
"""Ancestors of a URL that are keys, from the root down; all of them would be quadratic in its length."""


def _branches(url: str) -> list[str]:
    """``url`` and each of its ancestors: ``http://a/b/c`` -> itself, ``http://a/b``, ``http://a``."""
    scheme, separator, rest = url.partition("://")
    steps = rest.rstrip("/").split("/", _MOST_BRANCHES)[:-1] if separator else []
    return [url] + [scheme + separator + "/".join(steps[:count]) for count in range(len(steps), 0, -1)]


def index(parameter: Parameter, fhir_type: str, value: Any, entries: Entries) -> None:
    """Add the keys of ``value``; ``meta`` profiles also without their version."""
    type_, slot = parameter.type, parameter.slot
    url, _, _ = value.partition("|")
    entries.terms += {term(type_, slot, value), term(type_, slot, url)}
    if not parameter.name.startswith("_"):
        entries.terms += [term(type_, slot, ":below", branch) for branch in _branches(url)]


def criterion(parameter: Parameter, modifier: str, values: list[str]) -> Filter:
    """The filter for a comma list of ``values``. Raises ``Invalid`` for a modifier that is not supported."""
    texts = [unescape(value) for value in values]
    if not all(texts):
        raise Invalid("A URI must not be empty.", code="value")
    if modifier == "":
        keys = [term(parameter.type, parameter.slot, text) for text in texts]
    elif modifier == "below" and not parameter.name.startswith("_"):
        keys = [term(parameter.type, parameter.slot, ":below", text.rstrip("/")) for text in texts]
    elif modifier == "above" and not parameter.name.startswith("_"):
        keys = [term(parameter.type, parameter.slot, branch) for text in texts for branch in _branches(text)]
    else:
        raise Invalid("This modifier is not supported for this URI parameter.", code="not-supported")
    return Terms(tuple(dict.fromkeys(keys)))
