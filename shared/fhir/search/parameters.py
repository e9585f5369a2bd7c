"""The search parameters of every R4 type, from the derived table (tools/derive_search_parameters.py)."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from shared.store.indexing import term

_TABLE = Path(__file__).parent.parent / "definitions" / "search_parameters.json"
_DEFINITIONS = _TABLE.with_name("search_definitions.json")
_REGISTRY = "http://hl7.org/fhir/SearchParameter/"
_STEP = re.compile(r"(?P<key>\w+)(?:\[(?P<child>\w+)=(?P<value>[^\]]*)\])?(?:\.|$)")
_EXACT = frozenset({"Identifier", "id", "uri"})
_WITHOUT_DOMAIN = frozenset({"Bundle", "Binary", "Parameters"})


class Step(NamedTuple):
    """Go to the child ``key``; where ``child`` is given keep only the elements whose ``child`` is ``value``."""

    key: str
    child: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class ElementPath:
    """Where values are found, their FHIR type, and the one target type that references must have (empty for any)."""

    steps: tuple[Step, ...]
    type: str
    resolves: str = ""

    @classmethod
    def of(cls, text: str) -> "ElementPath":
        """The path that ``text`` (``step[child=value].step:Type@Target``) writes down."""
        place, _, leaf = text.rpartition(":")
        type_, _, resolves = leaf.partition("@")
        steps = tuple(Step(m["key"], m["child"] or "", m["value"] or "") for m in _STEP.finditer(place))
        return cls(steps, type_, resolves)


@dataclass(frozen=True, slots=True)
class Component:
    """One component of a composite, at paths from the composite's element on. One at most is no token."""

    kind: str
    paths: tuple[ElementPath, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Elements of which all ``components`` of a composite have to be true at once; they are indexed under ``key``."""

    path: ElementPath
    """Without steps: the resource itself."""
    components: tuple[Component, ...]
    key: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """One search parameter of one type.

    ``slot`` is the parameter under which the values are indexed: ``patient`` finds its values under ``subject``.
    ``compartment``: the value is the ``patient`` column."""

    type: str
    name: str
    kind: str
    paths: tuple[ElementPath, ...]
    targets: tuple[str, ...]
    any_target: bool
    single: bool
    """Whether a resource has at most one value."""
    compartment: bool
    slot: str
    key: int
    """The ``param`` column of this parameter's dates, strings and quantities."""
    mark: int
    """The key that says that a resource has a value here."""
    resolves: str
    """The only target type that counts, empty for any."""
    exact: bool
    """Whether its tokens keep their case: identifiers do, codes do not."""
    places: tuple[Place, ...] = ()
    """Where a composite looks; it has no paths."""


@cache
def _table() -> dict[str, dict[str, list[str]]]:
    table: dict[str, dict[str, list[str]]] = json.loads(_TABLE.read_bytes())
    return table


@cache
def parameters_of(type_: str) -> Mapping[str, Parameter]:
    """All parameters of ``type_`` by name; those that cannot be compiled have the kind ``unsupported``."""
    table = _table()
    rows = dict(table["Resource"])
    if type_ not in _WITHOUT_DOMAIN:
        rows |= table["DomainResource"]
    rows |= table.get(type_, {})
    slots: dict[tuple[str, str], str] = {}
    for name, (kind, written, *_) in sorted(rows.items(), key=lambda row: ("@" in row[1][1], row[0])):
        slots.setdefault((kind, re.sub("@[A-Za-z]+", "", written)), name)
    found = {}
    for name, (kind, written, targets, *flags) in rows.items():
        paths = _paths(written) if kind != "composite" else ()
        slot = slots[kind, re.sub("@[A-Za-z]+", "", written)]
        found[name] = Parameter(
            type=type_,
            name=name,
            kind=kind,
            paths=paths,
            targets=() if targets in ("*", "") else tuple(targets.split(",")),
            any_target=targets == "*",
            single="one" in flags,
            compartment=name == "patient" and kind == "reference" and "one" in flags and len(paths) == 1,
            slot=slot,
            key=term(type_, slot),
            mark=term(type_, name, "?"),
            resolves=paths[0].resolves if paths else "",
            exact=any(path.type in _EXACT for path in paths),
            places=_places(written, flags) if kind == "composite" else (),
        )
    return MappingProxyType(found)


def _paths(written: str) -> tuple[ElementPath, ...]:
    return tuple(ElementPath.of(path) for path in written.split("|") if path)


def _places(written: str, told: list[str]) -> tuple[Place, ...]:
    """The places of a composite. Two composites that look at the same values of a place share its key."""
    components = tuple(Component(kind, _paths(paths)) for kind, paths in map(str.split, told))
    values = " ".join(told)
    return tuple(Place(ElementPath.of(f"{place}:"), components, f"{place} {values}") for place in written.split("|"))


@cache
def single_keys(type_: str) -> frozenset[int]:
    """The keys of the parameters of which a resource has at most one value."""
    return frozenset(parameter.key for parameter in parameters_of(type_).values() if parameter.single)


def search_parameters(type_: str) -> tuple[Parameter, ...]:
    """The parameters of ``type_`` that can be searched by, for the CapabilityStatement."""
    return tuple(p for _, p in sorted(parameters_of(type_).items()) if p.kind != "unsupported")


@cache
def _definitions() -> dict[str, dict[str, str]]:
    table: dict[str, dict[str, str]] = json.loads(_DEFINITIONS.read_bytes())
    return table


def definition_of(parameter: Parameter) -> str:
    """The canonical URL of the SearchParameter (http://hl7.org/fhir/R4/searchparameter-registry.html)."""
    for type_ in (parameter.type, "Resource", "DomainResource"):
        name = _definitions().get(type_, {}).get(parameter.name)
        if name is not None:
            return name if ":" in name else _REGISTRY + name
    return f"{_REGISTRY}{parameter.type}-{parameter.name}"


@cache
def referring_parameters(types: frozenset[str], target: str) -> tuple[str, ...]:
    """``Type:parameter`` of every reference parameter of ``types`` that may name a resource of type ``target``."""
    return tuple(
        f"{type_}:{parameter.name}"
        for type_ in sorted(types)
        for parameter in search_parameters(type_)
        if parameter.kind == "reference"
        and (parameter.resolves or target) == target
        and (parameter.any_target or target in parameter.targets)
    )


def is_type(name: str) -> bool:
    """Whether ``name`` is an R4 resource type that has search parameters of its own, or any at all."""
    return name in _types()


@cache
def _types() -> frozenset[str]:
    table = _table()
    targets = {t for rows in table.values() for row in rows.values() for t in row[2].split(",")}
    return frozenset((table.keys() | targets | _WITHOUT_DOMAIN) - {"", "*", "Resource", "DomainResource"})
