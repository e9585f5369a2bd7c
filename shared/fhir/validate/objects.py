"""Checks of whole objects, compiled from R4's definitions once per type (http://hl7.org/fhir/R4/json.html).

A compiled check is a closure over a table from JSON name to ``Member``; one pass over the members of the object finds
what is unknown, repeated where it may not, empty, missing, or of two types at once.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from shared.fhir.definitions import ABSTRACT_TYPES, PRIMITIVE_TYPES, RESOURCE_TYPES
from shared.fhir.definitions.table import Element, Type, elements
from shared.fhir.validate.coded import bound_code, bound_coding, bound_concept
from shared.fhir.validate.invariants import Invariant, invariants_of
from shared.fhir.validate.narrative import narrative_div
from shared.fhir.validate.nested import contained, independent
from shared.fhir.validate.primitives import primitive
from shared.fhir.validate.references import reference
from shared.fhir.validate.walk import DEEPEST, MOST_ISSUES, Place, Run, Walk

SINGLE, LIST, PRIMITIVE_LIST, SIDECAR, SIDECAR_LIST = range(5)
"""How a member is written. A sidecar is the ``_name`` beside a primitive that holds its id and extensions."""


class Member(NamedTuple):
    """One JSON name that an object may have."""

    form: int
    run: Run
    label: str
    bit: int
    """Stands for a required element, or for all members of one choice; 0 for others."""


def compiled(path: str) -> Run:
    """The check of an object of the type, or of the nested element, that ``path`` names. Compiled at its first use."""
    resolved: list[Run] = []

    def run(value: Any, parent: Place, label: str, index: int, walk: Walk) -> None:
        if not resolved:
            resolved.append(object_check(path))
        resolved[0](value, parent, label, index, walk)

    return run


@cache
def object_check(path: str) -> Run:
    """The compiled check of ``path``; types refer to each other lazily, so that recursive types can be compiled."""
    plan = _Plan(path)
    members, needed, choices, rules, least = plan.members, plan.needed, plan.choices, invariants_of(path), plan.least
    member_of = members.get

    def run(value: Any, parent: Place, label: str, index: int, walk: Walk) -> None:
        if type(value) is not dict:
            walk.report("structure", "This must be a JSON object.", parent, label, index)
            return
        depth = parent[3] + 1
        place = (parent, label, index, depth)
        if depth > DEEPEST:
            walk.report("structure", "The content is nested too deeply.", parent)
            return
        if len(value) <= least and value.keys() <= {"id"}:
            walk.report("structure", "An object must not be empty (ele-1).", place)
            return
        before = len(walk.issues)
        seen = 0
        for name, item in value.items():
            member = member_of(name)
            if member is None:
                _unknown(value, name, place, walk)
                continue
            form, check, step, bit = member
            if bit:
                if seen & bit & choices and _types_given(value, members, bit) > 1:
                    walk.report("structure", "Only one of the types of a choice may be present.", place)
                seen |= bit
            if form == SINGLE:
                check(item, place, step, -1, walk)
            elif form == LIST:
                if type(item) is not list or not item:
                    walk.report("structure", "This must be a JSON array, and not empty.", place, step)
                    continue
                walk.spend(len(item))
                for position, each in enumerate(item):
                    check(each, place, step, position, walk)
            else:
                _primitive_member(form, value, name, item, member, place, walk)
        if seen & needed != needed:
            for missing, bit in plan.missing(seen):
                seen |= bit
                walk.report("required", "R4 requires this element.", place, missing)
        if rules and len(walk.issues) == before:
            _apply(rules, value, place, walk)

    return run


class _Plan:
    """What ``object_check`` closes over."""

    def __init__(self, path: str) -> None:
        self.members: dict[str, Member] = {}
        self.needed = 0
        self.choices = 0
        self.required: list[tuple[str, int]] = []
        self.least = 1
        bit = 1
        if path in RESOURCE_TYPES:
            self.members["resourceType"] = Member(SINGLE, _accept, "resourceType", 0)
            self.least = 0
        for element in elements(path):
            mine = bit if element.required or element.choice else 0
            bit <<= 1 if mine else 0
            if element.choice:
                self.choices |= mine
            if element.required:
                self.needed |= mine
                self.required.append((element.name.removesuffix("[x]"), mine))
            self._add(path, element, mine)

    def _add(self, path: str, element: Element, bit: int) -> None:
        for name, type_ in element.names():
            label = f"{element.name[:-3]}.ofType({_fhirpath_type(type_)})" if element.choice else name
            run = _value_check(path, element, type_)
            is_primitive = type_.name in PRIMITIVE_TYPES
            form = (PRIMITIVE_LIST if is_primitive else LIST) if element.many else SINGLE
            self.members[name] = Member(form, run, label, bit)
            if is_primitive:
                form = SIDECAR_LIST if element.many else SIDECAR
                self.members[f"_{name}"] = Member(form, compiled("Element"), label, bit)

    def missing(self, seen: int) -> Iterator[tuple[str, int]]:
        return ((name, bit) for name, bit in self.required if not seen & bit)


def _fhirpath_type(type_: Type) -> str:
    return "Quantity" if type_.name == "SimpleQuantity" else type_.name


def _value_check(path: str, element: Element, type_: Type) -> Run:
    """The check of one value of ``element`` as a ``type_``."""
    name = type_.name
    if name == "xhtml":
        return narrative_div
    if element.codes and name == "code":
        return bound_code(element.codes)
    if name in PRIMITIVE_TYPES:
        return primitive(name)
    if name in ABSTRACT_TYPES:
        return contained(object_check) if element.name == "contained" else independent(object_check)
    structure = compiled(name)
    if name == "Reference":
        return reference(structure, type_.targets)
    if element.codes and name == "Coding":
        return bound_coding(element.codes, structure)
    if element.codes and name == "CodeableConcept":
        return bound_concept(element.codes, structure)
    return structure


def _apply(rules: tuple[Invariant, ...], value: dict[str, Any], place: Place, walk: Walk) -> None:
    for rule in rules:
        if not rule.holds(value):
            walk.report("invariant", f"{rule.text} ({rule.id})", place)


def _accept(value: Any, parent: Place, label: str, index: int, walk: Walk) -> None:
    """``resourceType`` was read before."""


def _unknown(value: dict[str, Any], name: str, place: Place, walk: Walk) -> None:
    walk.spend(1)
    if len(walk.issues) == MOST_ISSUES:
        return
    position = next(n for n, each in enumerate(value, 1) if each == name)  # not the name: it is what a client sent
    walk.report("structure", f"Member {position} of this object is not an element that R4 defines here.", place)


def _types_given(value: dict[str, Any], members: dict[str, Member], bit: int) -> int:
    """Of how many types a choice is given; ``valueString`` with ``_valueString`` are one."""
    return len({name.lstrip("_") for name in value if name in members and members[name].bit == bit})


def _primitive_member(
    form: int, value: dict[str, Any], name: str, item: Any, member: Member, place: Place, walk: Walk
) -> None:
    """Repeating primitives, and the sidecars of primitives (http://hl7.org/fhir/R4/json.html#primitive)."""
    if form == SIDECAR:
        _sidecar(item, name[1:] in value, member, place, -1, walk)
        return
    if type(item) is not list or not item:
        walk.report("structure", "This must be a JSON array, and not empty.", place, member.label)
        return
    walk.spend(len(item))
    other = value.get(name[1:] if form == SIDECAR_LIST else f"_{name}")
    beside = other if type(other) is list else []
    for index, each in enumerate(item):
        counterpart = beside[index] if index < len(beside) else None
        if each is None:
            if counterpart is None and (form == PRIMITIVE_LIST or index >= len(beside)):
                walk.report("structure", "Neither a value nor an extension is here.", place, member.label, index)
        elif form == SIDECAR_LIST:
            _sidecar(each, counterpart is not None, member, place, index, walk)
        else:
            member.run(each, place, member.label, index, walk)


def _sidecar(item: Any, has_value: bool, member: Member, place: Place, index: int, walk: Walk) -> None:
    if has_value and type(item) is dict and item.keys() == {"id"}:
        primitive("string")(item["id"], place, f"{member.label}.id", -1, walk)
    else:
        member.run(item, place, member.label, index, walk)
