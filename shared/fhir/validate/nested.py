"""Resources inside resources: contained, or in entries and parameters (http://hl7.org/fhir/R4/references.html#contained)."""

from collections.abc import Callable
from typing import Any

from shared.fhir.definitions import RESOURCE_TYPES
from shared.fhir.validate.references import resolve_fragments
from shared.fhir.validate.walk import ABOVE, Place, Run, Walk


def contained(check_of: Callable[[str], Run]) -> Run:
    """A contained resource: it shares the fragments of its container. ``check_of`` gives the check of a type."""

    def run(value: Any, parent: Place, label: str, index: int, walk: Walk) -> None:
        if (type_ := _type_of(value, parent, label, index, walk)) is not None:
            walk.types.add(type_)
            check_of(type_)(value, parent, label, index, walk)

    return run


def independent(check_of: Callable[[str], Run]) -> Run:
    """A resource on its own, as the root or in an entry: its ``#id`` references are resolved within it.

    Those of an entry are resolved in its Bundle (http://hl7.org/fhir/R4/bundle.html#references), not on this server."""

    def run(value: Any, parent: Place, label: str, index: int, walk: Walk) -> None:
        if (type_ := _type_of(value, parent, label, index, walk)) is None:
            return
        walk.types.add(type_)
        outer, above = walk.fragments, walk.references
        walk.fragments = []
        if parent is not ABOVE:
            walk.references = []
        before = len(walk.issues)
        check_of(type_)(value, parent, label, index, walk)
        if walk.fragments and len(walk.issues) == before:
            resolve_fragments(value.get("contained"), walk.fragments, walk)
        walk.fragments, walk.references = outer, above

    return run


def _type_of(value: Any, parent: Place, label: str, index: int, walk: Walk) -> str | None:
    if type(value) is not dict:
        walk.report("structure", "This must be a JSON object.", parent, label, index)
        return None
    type_ = value.get("resourceType")
    if type(type_) is not str or type_ not in RESOURCE_TYPES:
        walk.report("structure", "A resource must name its type, one of R4.", parent, label, index)
        return None
    return type_
