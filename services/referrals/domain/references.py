"""Reference elements as the rules compare them (http://hl7.org/fhir/R4/references.html)."""

from collections.abc import Mapping
from typing import Any

from shared.fhir.json import Resource


def target(element: Any) -> str | None:
    """``Type/id`` of a literal relative reference, without a version; None for anything else."""
    reference = element.get("reference") if isinstance(element, Mapping) else None
    if not isinstance(reference, str):
        return None
    type_, slash, rest = reference.partition("/")
    id_ = rest.partition("/_history/")[0]
    return f"{type_}/{id_}" if slash and id_ and "/" not in id_ and type_.isalpha() else None


def type_of(element: Any) -> str | None:
    """The resource type that a reference points to: from its literal reference, else from ``Reference.type``."""
    literal = target(element)
    if literal is not None:
        return literal.partition("/")[0]
    stated = element.get("type") if isinstance(element, Mapping) else None
    return stated if isinstance(stated, str) else None


def same_target(one: Any, other: Any) -> bool:
    """Whether two reference elements mean the same thing: a ``display`` matters only where nothing else is said."""
    return _identity(one) == _identity(other)


def _identity(element: Any) -> tuple[Any, ...]:
    if not isinstance(element, Mapping):
        return (None, None, None)
    identifier = element.get("identifier")
    if not isinstance(identifier, Mapping):
        identifier = {}
    found = (target(element) or element.get("reference"), identifier.get("system"), identifier.get("value"))
    return found if any(found) else ("display", element.get("display"))


def codings(concept: Any) -> list[tuple[str | None, str]]:
    """``(system, code)`` of each coding of a CodeableConcept, or of each in a list of them."""
    if isinstance(concept, list):
        return [coding for item in concept for coding in codings(item)]
    coding = concept.get("coding") if isinstance(concept, Mapping) else None
    if not isinstance(coding, list):
        return []
    found = [(item.get("system"), item.get("code")) for item in coding if isinstance(item, Mapping)]
    return [(system if isinstance(system, str) else None, code) for system, code in found if isinstance(code, str)]


def content(resource: Resource) -> Resource:
    """What a client can change: everything but ``id`` and ``meta``."""
    return {key: value for key, value in resource.items() if key not in ("id", "meta")}
