"""References as the other side has to write them (http://hl7.org/fhir/R4/references.html#literal)."""

from typing import Any


def translated(value: Any, source: str, goal: str) -> Any:
    """``value`` of the server with the base ``source``, as that with the base ``goal`` holds it.

    What was relative is below ``source`` from now on, what was below ``goal`` is relative there; there and back
    again is the same."""
    if isinstance(value, list):
        return [translated(each, source, goal) for each in value]
    if not isinstance(value, dict):
        return value
    found = {key: translated(each, source, goal) for key, each in value.items()}
    literal = found.get("reference")
    return found | {"reference": reference(literal, source, goal)} if isinstance(literal, str) else found


def reference(literal: str, source: str, goal: str) -> str:
    """One literal reference; see ``translated``."""
    if literal.startswith(f"{goal}/"):
        return literal.removeprefix(f"{goal}/")
    if ":" in literal or literal.startswith("#"):
        return literal
    return f"{source}/{literal}"
