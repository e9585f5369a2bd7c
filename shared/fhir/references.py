"""References inside resources: finding conditional ones, rewriting to what they turned out to be."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from shared.errors import Invalid

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


def rewritten(value: Any, targets: Mapping[str, str]) -> Any:
    """``value`` with references replaced by ``targets``; a ``urn:`` is replaced wherever it is a whole string."""
    if isinstance(value, dict):
        return {
            name: targets.get(child, child)
            if name == "reference" and isinstance(child, str)
            else rewritten(child, targets)
            for name, child in value.items()
        }
    if isinstance(value, list):
        return [rewritten(child, targets) for child in value]
    if isinstance(value, str) and value.startswith("urn:"):
        return targets.get(value, value)
    return value
