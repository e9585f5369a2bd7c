"""The references in entries: literal, conditional, by urn; what an entry offers to others."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from consilium.importing.units import Entry

_LITERAL = re.compile(r"([A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64})(?:/_history/.*)?")
_CONDITIONAL = re.compile(r"[A-Z][A-Za-z]+\?\S+")


def holders(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in ``value`` that has a ``reference`` text."""
    stack = [value]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            if isinstance(node.get("reference"), str):
                yield node
            stack.extend(child for child in node.values() if isinstance(child, dict | list))
        elif isinstance(node, list):
            stack.extend(node)


def literal(reference: str) -> str | None:
    """``Type/id`` of a relative literal reference, without version."""
    match = _LITERAL.fullmatch(reference)
    return match.group(1) if match else None


def needs(entry: Entry) -> set[str]:
    """What ``entry`` refers to: ``Type/id``, ``Type?criteria``, ``urn:...`` (contained ones aside)."""
    found: set[str] = set()
    for holder in holders(entry.get("resource")):
        reference = holder["reference"]
        known = literal(reference)
        if known:
            found.add(known)
        elif reference.startswith("urn:") or _CONDITIONAL.fullmatch(reference):
            found.add(reference)
    return found


def offers(entry: Entry) -> set[str]:
    """The names under which others may refer to what ``entry`` stores."""
    resource, request = entry.get("resource"), entry["request"]
    if not isinstance(resource, dict):
        return set()
    type_ = resource.get("resourceType")
    found: set[str] = {entry["fullUrl"]} if isinstance(entry.get("fullUrl"), str) else set()
    if request["method"] == "PUT" and isinstance(resource.get("id"), str):
        found.add(f"{type_}/{resource['id']}")
    identifiers = resource.get("identifier")
    for identifier in identifiers if isinstance(identifiers, list) else [identifiers]:
        if isinstance(identifier, dict) and "value" in identifier:
            found.add(f"{type_}?identifier={identifier.get('system', '')}|{identifier['value']}")
    return found


def rewritten(value: Any, targets: Mapping[str, str]) -> Any:
    """A copy of ``value`` whose references are replaced by ``targets``."""
    if isinstance(value, list):
        return [rewritten(child, targets) for child in value]
    if not isinstance(value, dict):
        return value
    copy = {name: rewritten(child, targets) for name, child in value.items()}
    if isinstance(copy.get("reference"), str):
        copy["reference"] = targets.get(copy["reference"], copy["reference"])
    return copy
