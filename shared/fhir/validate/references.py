"""Reference: what it points to, and whether it may (http://hl7.org/fhir/R4/references.html)."""

import re
from typing import Any

from shared.fhir.definitions import RESOURCE_TYPES
from shared.fhir.validate.walk import Fragment, LocalReference, Place, Run, Walk, expression

_LITERAL = re.compile(
    r"(?P<base>(?i:https?)://(?:[A-Za-z0-9\-\\.:%$_~]+/)+)?(?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9\-.]{1,64})"
    r"(?:/_history/[A-Za-z0-9\-.]{1,64})?"
).fullmatch
_CONDITIONAL = re.compile(r"(?P<type>[A-Z][A-Za-z]+)\?").match

_ABSOLUTE = re.compile(r"(?!(?i:https?):(?!//[^/]))[A-Za-z][A-Za-z0-9+.\-]*:[^\s\\]+").fullmatch
"""A URL of any scheme, or a ``urn:``; with http, it names a host."""

_MALFORMED = (
    "A literal reference is Type/id (with /_history/version), an absolute URL, or the #id of what is contained."
)
_UNRESOLVED = "A conditional reference stands in a transaction only (batch and single requests resolve none)."
_WRONG_TARGET = "R4 does not let this element refer to a resource of that type."


def reference(structure: Run, targets: frozenset[str]) -> Run:
    """A Reference to one of ``targets`` (empty: to any resource); ``structure`` checks the datatype."""

    def run(value: Any, parent: Place, label: str, index: int, walk: Walk) -> None:
        before = len(walk.issues)
        structure(value, parent, label, index, walk)
        if len(walk.issues) > before:
            return
        literal = value.get("reference")
        found: str | None = None
        if literal is not None:
            if literal[0] == "#":
                place = (parent, label, index, parent[3] + 1)
                walk.fragments.append(Fragment(literal[1:], place, targets))
            elif match := _LITERAL(literal):
                found = match["type"]
                if match["base"] is None:
                    if found not in RESOURCE_TYPES:
                        walk.report("value", "R4 has no such resource type.", parent, _literal(label, index))
                        return
                    path = expression(parent, label, index)
                    walk.references.append(LocalReference(path, found, match["id"]))
            elif match := _CONDITIONAL(literal):
                if not _is_nested(parent):
                    walk.report("value", _UNRESOLVED, parent, _literal(label, index))
                    return
                found = match["type"]
            elif not _ABSOLUTE(literal):
                walk.report("value", _MALFORMED, parent, _literal(label, index))
                return
        if found not in RESOURCE_TYPES:
            found = None
        if found is not None and targets and found not in targets:
            walk.report("value", _WRONG_TARGET, parent, _literal(label, index))
        if (stated := value.get("type")) is not None:
            _check_stated(stated, found, targets, (parent, label, index, 0), walk)

    return run


def resolve_fragments(contained: Any, fragments: list[Fragment], walk: Walk) -> None:
    """Check the ``#id`` references against the contained resources; ``#`` alone is the container (ref-1)."""
    types = {each["id"]: each["resourceType"] for each in contained or () if "id" in each}
    for id_, place, targets in fragments:
        if id_ == "":
            continue
        if id_ not in types:
            walk.report("invariant", "No contained resource has this id (ref-1).", place, "reference")
        elif targets and types[id_] not in targets:
            walk.report("value", _WRONG_TARGET, place, "reference")


def _check_stated(stated: str, found: str | None, targets: frozenset[str], place: Place, walk: Walk) -> None:
    """``Reference.type``: a name of R4, as the element allows and the literal reference says."""
    if stated not in RESOURCE_TYPES:
        return  # the binding is extensible: a logical model may be named by its URL
    if targets and stated not in targets:
        walk.report("value", _WRONG_TARGET, place, "type")
    if found is not None and found != stated:
        walk.report("value", "The type is not that of the reference.", place, "type")


def _is_nested(place: Place | None) -> bool:
    """Whether ``place`` is in a resource that a Bundle or Parameters holds: a transaction may be kept as a resource."""
    while place is not None:
        if place[1] == "resource":
            return True
        place = place[0]
    return False


def _literal(label: str, index: int) -> str:
    return f"{label}.reference" if index < 0 else f"{label}[{index}].reference"
