"""From a resource to its index entries, by extractors compiled once per type (http://hl7.org/fhir/R4/search.html)."""

from collections.abc import Callable
from functools import cache
from typing import Any

from shared.fhir.json import Resource
from shared.fhir.search.elements import values_at
from shared.fhir.search.entries import Entries
from shared.fhir.search.parameters import ElementPath, Parameter, Place, parameters_of
from shared.fhir.search.params import composite, date, quantity, reference, string, token, uri
from shared.fhir.search.params.reference import local, reference_term
from shared.store.indexing import IndexEntries

__all__ = ["extract", "reference_term", "values_at"]

Index = Callable[[Parameter, str, Any, Entries], None]
_INDEX: dict[str, Index] = {
    "token": token.index,
    "reference": reference.index,
    "date": date.index,
    "string": string.index,
    "quantity": quantity.index,
    "number": quantity.index,
    "uri": uri.index,
}
_COLUMNS = frozenset({"_id", "_lastUpdated"})
"""Parameters that are columns of the resource row."""


def extract(resource: Resource) -> IndexEntries:
    """Everything to be indexed for ``resource`` (with its id). Expects a structure that validation let through."""
    type_ = resource["resourceType"]
    entries = Entries()
    plan = _plan(type_)
    for key in resource:
        for parameter, path, index in plan.get(key, ()):
            found = values_at(resource, path)
            if not found:
                continue
            entries.marks.append(parameter.mark)
            if parameter.compartment:
                _compartment(found[0], entries)
            if parameter.slot == parameter.name:
                for value in found:
                    index(parameter, path.type, value, entries)
    if type_ == "Patient":
        entries.patient = resource.get("id")
    for place in _places(type_):
        composite.index(type_, place, resource, entries)
    for parameter in _truths(type_):
        _truth(resource, parameter, entries)
    _references(resource, entries.terms)
    return entries.frozen()


@cache
def _plan(type_: str) -> dict[str, list[tuple[Parameter, ElementPath, Index]]]:
    """What to index by the first element of its path, so that absent elements cost nothing."""
    plan: dict[str, list[tuple[Parameter, ElementPath, Index]]] = {}
    for parameter in parameters_of(type_).values():
        if parameter.kind in ("unsupported", "composite") or parameter.name in _COLUMNS:
            continue
        for path in parameter.paths:
            if path.type != "truth":
                plan.setdefault(path.steps[0].key, []).append((parameter, path, _INDEX[parameter.kind]))
    return plan


@cache
def _places(type_: str) -> tuple[Place, ...]:
    """Where the composites of ``type_`` look, each once."""
    places = {place.key: place for parameter in parameters_of(type_).values() for place in parameter.places}
    return tuple(places.values())


@cache
def _truths(type_: str) -> tuple[Parameter, ...]:
    """The parameters that are "exists and is not false" (``Patient.deceased``)."""
    return tuple(p for p in parameters_of(type_).values() if any(path.type == "truth" for path in p.paths))


def _truth(resource: Resource, parameter: Parameter, entries: Entries) -> None:
    found = [value for path in parameter.paths for value in values_at(resource, path)]
    entries.marks.append(parameter.mark)
    token.index(parameter, "boolean", any(value is not False for value in found), entries)


def _compartment(value: Any, entries: Entries) -> None:
    target = local(value.get("reference", ""))
    if target and target[0] == "Patient":
        entries.patient = target[1]


def _references(resource: Resource, terms: list[int]) -> None:
    """A key for every literal reference anywhere in ``resource``, searchable or not."""
    found = set()
    # those of a stored Bundle's entries are resolved in it
    waiting: list[Any] = [resource] if resource["resourceType"] != "Bundle" else []
    while waiting:
        node = waiting.pop()
        if type(node) is dict:
            reference = node.get("reference")
            if type(reference) is str:
                found.add(reference)
            waiting += [value for value in node.values() if type(value) is dict or type(value) is list]
        elif type(node) is list:
            waiting += node
    for reference in found:
        target = local(reference)
        if target:
            terms.append(reference_term(*target))
