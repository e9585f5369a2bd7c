"""The facts of profiles, read from ``profiles.json`` (made by ``tools/derive_profiles.py``)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

_FILE = Path(__file__).parents[2] / "definitions" / "profiles.json"
_VERSIONED = {"http://hl7.org/fhir/us/core/": "7.0.0"}
"""The version of a guide where a canonical may name it; the other two are taken in any version."""

Codes = Mapping[str, frozenset[str] | None]
"""System -> codes; None where codes of that system belong to the set but are not listed, and under ``""`` where not
even the systems are known."""


@dataclass(slots=True)
class Node:
    """What a profile says of one element or slice, beyond R4."""

    row: Mapping[str, Any] = field(default_factory=dict)
    """As in the file: min, max, types, profiles, fixed, pattern, by, rules, ordered, targets, binding, invariants."""
    children: dict[str, "Node"] = field(default_factory=dict)
    slices: dict[str, "Node"] = field(default_factory=dict)


@cache
def facts() -> Mapping[str, Any]:
    """The table as it is in the file."""
    return msgspec.json.decode(_FILE.read_bytes(), type=dict[str, Any])


def known(canonical: str) -> str | None:
    """The URL under which the table has the profile that ``canonical`` names, with or without a version; else None."""
    url, _, version = canonical.partition("|")
    if url not in facts()["profiles"]:
        return None
    expected = next((each for base, each in _VERSIONED.items() if url.startswith(base)), version)
    return url if version in ("", expected) else None


def type_of(url: str) -> str:
    """The resource type or datatype that a profile constrains. Raises ``KeyError``."""
    type_: str = facts()["profiles"][url]["type"]
    return type_


@cache
def profiles_of(type_: str) -> tuple[str, ...]:
    """The profiles of a resource type that instances can claim, in the order of their URLs."""
    lines = facts()["profiles"].items()
    return tuple(sorted(url for url, line in lines if line["type"] == type_ and "abstract" not in line))


@cache
def tree(url: str) -> Node:
    """The profile as a tree; its root stands for the resource. Raises ``KeyError``."""
    root = Node()
    for path, row in facts()["profiles"][url]["elements"].items():
        node = root
        for step in path.split(".") if path else ():
            name, _, slice_ = step.partition(":")
            node = node.children.setdefault(name, Node())
            if slice_:
                node = node.slices.setdefault(slice_, Node())
        node.row = row
    return root


@cache
def code_set(url: str) -> Codes:
    """The codes of a value set that the table has. Raises ``KeyError``."""
    listed = facts()["codes"][url]
    return {system: None if codes is None else frozenset(codes) for system, codes in listed.items()}


@cache
def invariant(name: str) -> tuple[str, str, str]:
    """Key, severity and FHIRPath expression of a rule. Raises ``KeyError``."""
    severity, expression = facts()["invariants"][name]
    return name.partition("/")[0], severity, expression
