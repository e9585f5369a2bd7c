"""The facts of R4's definitions, read from ``structure.json`` (made by ``tools/derive_structure.py``; http://hl7.org/fhir/R4/)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

_FILE = Path(__file__).with_name("structure.json")


@dataclass(frozen=True, slots=True)
class Type:
    """One type that an element may have: a datatype, or (``part``) a nested element such as ``CarePlan.activity``."""

    name: str
    targets: frozenset[str] = frozenset()
    """Of a Reference: the resource types that it may point to; empty means any."""
    part: bool = False


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a type. ``name`` of a choice ends in ``[x]``."""

    name: str
    types: tuple[Type, ...]
    required: bool
    many: bool
    codes: str | None
    """The expanded value set of a required binding."""
    summary: bool = False
    """Whether it is part of a summary (http://hl7.org/fhir/R4/search.html#summary)."""

    @property
    def choice(self) -> bool:
        return self.name.endswith("[x]")

    def names(self) -> Iterator[tuple[str, Type]]:
        """The JSON names with their types: ``valueString``, ``valueQuantity``, ... for a choice."""
        for type_ in self.types:
            if self.choice:
                suffix = "Quantity" if type_.name == "SimpleQuantity" else type_.name
                yield self.name[:-3] + suffix[0].upper() + suffix[1:], type_
            else:
                yield self.name, type_


@cache
def facts() -> Mapping[str, Any]:
    """The table as it is in the file."""
    return msgspec.json.decode(_FILE.read_bytes(), type=dict[str, Any])


@cache
def codes(name: str) -> Mapping[str, frozenset[str]]:
    """System -> codes of the value set of a required binding."""
    return {system: frozenset(listed) for system, listed in facts()["codes"][name].items()}


def elements(path: str) -> tuple[Element, ...]:
    """The elements of a type (``CarePlan``) or of a part of one (``CarePlan.activity``), those of its bases first.

    Raises ``KeyError`` for a name that R4 does not define."""
    root, _, part = path.partition(".")
    line = facts()["types"].get(root) or facts()["resources"][root]
    if part:
        line = line["parts"][part]
    inherited = elements(line["base"]) if "base" in line else ()
    return inherited + tuple(_element(root, name, row) for name, row in line["elements"].items())


def part_names(type_: str) -> tuple[str, ...]:
    """The paths of the nested elements of ``type_``."""
    line = facts()["types"].get(type_) or facts()["resources"][type_]
    return tuple(f"{type_}.{part}" for part in line.get("parts", ()))


def _element(root: str, name: str, row: list[Any]) -> Element:
    least, _, most = row[1].removesuffix("Σ").partition("..")
    types = tuple(_type(root, written) for written in row[0])
    return Element(name, types, least != "0", most != "1", row[2] if len(row) > 2 else None, row[1].endswith("Σ"))


def _type(root: str, written: str) -> Type:
    if written.startswith("#"):
        return Type(f"{root}.{written[1:]}", part=True)
    name, _, targets = written.rstrip(")").partition("(")
    return Type(name, frozenset(targets.split("|")) if targets else frozenset())
