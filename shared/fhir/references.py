"""References inside resources: finding them, and making relative what names this server.

A reference that names this server by its full address means the same as a relative one
(http://hl7.org/fhir/R4/references.html#literal); it is made relative on the way in, so that rules, referential
integrity and search see one form.
"""

import re
from collections.abc import Iterator
from typing import Any

from shared.errors import Invalid
from shared.fhir.addresses import below

_CONDITIONAL = re.compile(r"^[A-Z][A-Za-z]+\?.+$")
_DEEPEST = 200
"""Objects and lists within each other: more than validation lets through, less than the interpreter's stack holds."""


def conditional_references(value: Any) -> Iterator[str]:
    """Every ``Type?criteria`` in a ``reference`` element (http://hl7.org/fhir/R4/http.html#trules)."""
    for reference in references(value):
        if _CONDITIONAL.match(reference):
            yield reference


def references(value: Any, *, depth: int = 0) -> Iterator[str]:
    """Every literal reference, depth first. Raises ``Invalid`` for what is nested too deeply."""
    if depth > _DEEPEST:
        raise Invalid("The JSON is nested too deeply.", code="structure")
    if isinstance(value, dict):
        for name, child in value.items():
            if name == "reference" and isinstance(child, str):
                yield child
            elif isinstance(child, dict | list):
                yield from references(child, depth=depth + 1)
    elif isinstance(value, list):
        for child in value:
            yield from references(child, depth=depth + 1)


def make_relative(value: Any, base: str) -> None:
    """Rewrite, in place, every literal reference to a resource of ``base`` to its relative form."""
    for holder, relative in absolute_references(value, base):
        holder["reference"] = relative


def absolute_references(value: Any, base: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Every Reference that names a resource of ``base`` by its URL, and what that is relative to ``base``.

    Not those in the entries of a Bundle: there, a relative reference means what the entry's fullUrl says
    (http://hl7.org/fhir/R4/bundle.html#references)."""
    waiting: list[Any] = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            reference = node.get("reference")
            relative = below(base, reference) if isinstance(reference, str) else None
            is_bundle = node.get("resourceType") == "Bundle"
            waiting += (child for name, child in node.items() if not (is_bundle and name == "entry"))
            if relative is not None:
                yield node, relative
