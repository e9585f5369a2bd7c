"""Structural faults of real files, put right on the way in by three rules (``Rule``); the server stays strict.

Driven by R4's table, type by type (http://hl7.org/fhir/R4/json.html). What is valid comes back as the same object; a
fault that no rule names is left for the server to refuse, and so is a member whose loss would change the meaning.
"""

import re
from collections import Counter
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Any

from consilium.importing.units import Entry, Unit
from shared.fhir.definitions import ABSTRACT_TYPES, PRIMITIVE_TYPES, RESOURCE_TYPES
from shared.fhir.definitions.table import elements
from shared.fhir.json import Resource

DATA_ABSENT_REASON = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
DEEPEST = 64
"""Objects within objects; the server refuses what is deeper."""

_NAME = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,63}")


class Rule(StrEnum):
    """What is put right, as the report tells it."""

    WRAPPED = "made a list of one, because R4 has a list there"
    DROPPED = "left out, because R4 has no such element"
    FILLED = "marked as unknown (data-absent-reason), because R4 requires it and it is missing"


MEANINGFUL = frozenset(
    {
        "modifierExtension",
        "doNotPerform",
        "negated",
        "notDone",
        "notGiven",
        "notPerformed",
        "notTaken",
        "prohibited",
        "taken",
        "wasNotGiven",
        "wasNotTaken",
    }
)
"""Members by which some release of FHIR turns a statement around. Where R4 does not define one it is not dropped,
unless it is ``false``: without it the statement would say the opposite."""


@dataclass(frozen=True, slots=True)
class Member:
    """What R4 says of one JSON name."""

    many: bool
    primitive: bool
    content: str
    """The type, or path of the nested element, of the objects in it: ``Element`` for the ``_name`` of a primitive."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What R4 says of the objects of one type or nested element."""

    members: dict[str, Member]
    stems: tuple[str, ...]
    """The names of choices without the type: ``value``. A choice of a wrong type is content, no surplus."""
    concepts: tuple[str, ...]
    """Required single CodeableConcepts of which R4 leaves the codes open."""

    def surplus(self, name: str, item: Any) -> bool:
        """Whether ``name``, which R4 does not define here, may go."""
        if name[:1] == "_" and name[1:] in self.members:
            return True
        plain = name.removeprefix("_")
        if plain in MEANINGFUL:
            return item is False
        return not any(plain.startswith(stem) and not plain[len(stem) :][:1].islower() for stem in self.stems)


@cache
def shape(path: str) -> Shape:
    """The shape of a type (``CarePlan``) or nested element (``CarePlan.activity``)."""
    members = {"resourceType": Member(False, True, "code")} if path in RESOURCE_TYPES else {}
    stems: list[str] = []
    concepts: list[str] = []
    for element in elements(path):
        for name, type_ in element.names():
            primitive = type_.name in PRIMITIVE_TYPES
            members[name] = Member(element.many, primitive, type_.name)
            if primitive:
                members[f"_{name}"] = Member(element.many, False, "Element")
        if element.choice:
            stems.append(element.name.removesuffix("[x]"))
        elif element.required and not element.many and not element.codes and element.types[0].name == "CodeableConcept":
            concepts.append(element.name)
    return Shape(members, tuple(stems), tuple(concepts))


def with_structure(unit: Unit, told: Counter[str]) -> Unit:
    """``unit`` with its resources put right; the same one where there is nothing to do."""
    entries = tuple(_entry(entry, told) for entry in unit.entries)
    same = all(now is before for now, before in zip(entries, unit.entries, strict=True))
    return unit if same else replace(unit, entries=entries)


def _entry(entry: Entry, told: Counter[str]) -> Entry:
    resource = entry.get("resource")
    now = put_right(resource, told) if isinstance(resource, dict) else resource
    return entry if now is resource else {**entry, "resource": now}


def put_right(resource: Resource, told: Counter[str]) -> Resource:
    """``resource`` without the faults that a rule names; each repair is counted in ``told`` as ``rule: path``.

    The same object where there is none. Nothing in ``resource`` is changed."""
    return _resource(resource, told, 1)


def _resource(value: Resource, told: Counter[str], depth: int) -> Resource:
    type_ = value.get("resourceType")
    return _object(value, type_, type_, told, depth) if isinstance(type_, str) and type_ in RESOURCE_TYPES else value


def _object(value: dict[str, Any], type_: str, path: str, told: Counter[str], depth: int) -> dict[str, Any]:
    if depth > DEEPEST:
        return value
    rules = shape(type_)
    now: dict[str, Any] = {}
    same = True
    for name, item in value.items():
        member = rules.members.get(name)
        if member is None:
            if rules.surplus(name, item):
                told[f"{Rule.DROPPED}: {path}.{name if _NAME.fullmatch(name) else '?'}"] += 1
                same = False
            else:
                now[name] = item
            continue
        child = _wrapped(value, name, item, member)
        if child is not item:
            told[f"{Rule.WRAPPED}: {path}.{name}"] += 1
        if not member.primitive:
            # an item within an item is told as an item
            inner = path if member.content == type_ else f"{path}.{name}"
            child = _content(child, member, inner, told, depth + 1)
        now[name] = child
        same = same and child is item
    if now:
        for name in rules.concepts:
            if name not in now:
                told[f"{Rule.FILLED}: {path}.{name}"] += 1
                now[name] = {"extension": [{"url": DATA_ABSENT_REASON, "valueCode": "unknown"}]}
                same = False
    return value if same else now


def _wrapped(value: dict[str, Any], name: str, item: Any, member: Member) -> Any:
    """``item``, in a list where it is one value of the right kind and R4 has a list."""
    if not member.many or item is None or isinstance(item, list) or isinstance(item, dict) == member.primitive:
        return item
    other = value.get(name[1:] if name[0] == "_" else f"_{name}")
    # beside a list of several it would be a guess which of them it belongs to
    return item if isinstance(other, list) and len(other) > 1 else [item]


def _content(value: Any, member: Member, path: str, told: Counter[str], depth: int) -> Any:
    if isinstance(value, list) and member.many:
        items = [_one(item, member, path, told, depth) for item in value]
        return value if all(now is before for now, before in zip(items, value, strict=True)) else items
    return value if member.many else _one(value, member, path, told, depth)


def _one(value: Any, member: Member, path: str, told: Counter[str], depth: int) -> Any:
    if not isinstance(value, dict):
        return value
    if member.content in ABSTRACT_TYPES:
        return _resource(value, told, depth)
    return _object(value, member.content, path, told, depth)
