"""Resources that are not quite R4, put into R4's shape without losing anything. Tried only after the server's refusal.

- An object where R4 has a list becomes a list of one; an empty list goes.
- An extension beside an object (``_period``) goes into it: only primitives have a sidecar.
- A required concept that is absent says so (http://hl7.org/fhir/StructureDefinition/data-absent-reason).
- An element that R4 does not define there becomes an extension that holds its name and its JSON.
"""

from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import Any

from shared.fhir.definitions import PRIMITIVE_TYPES, RESOURCE_TYPES
from shared.fhir.definitions.table import Element, Type, elements
from shared.fhir.json import dumps

UNKNOWN_ELEMENT = "https://consilium.care/fhir/StructureDefinition/imported-element"
DATA_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"

LIST = "an object where R4 has a list: made a list of one"
EMPTY = "an empty list: left out"
SIDECAR = "an extension beside an object: moved into it"
ABSENT = "a required concept that is absent: said to be unknown"
UNKNOWN = "an element that R4 does not define there: kept in an extension"

_ABSENT_CONCEPT: dict[str, Any] = {"extension": [{"url": DATA_ABSENT, "valueCode": "unknown"}]}


def shaped(resource: Mapping[str, Any], told: Counter[str]) -> dict[str, Any]:
    """A copy of ``resource`` in R4's shape; each change is counted in ``told``. What is no R4 type stays as it is."""
    type_ = resource.get("resourceType")
    if not isinstance(type_, str) or type_ not in RESOURCE_TYPES:
        return dict(resource)
    return _object(resource, type_, told)


@cache
def _members(path: str) -> Mapping[str, tuple[Element, Type]]:
    return {name: (element, type_) for element in elements(path) for name, type_ in element.names()}


def _object(value: Mapping[str, Any], path: str, told: Counter[str]) -> dict[str, Any]:
    members = _members(path)
    copy: dict[str, Any] = {}
    strange: dict[str, Any] = {}
    for name, child in value.items():
        known = members.get(name.removeprefix("_"))
        if name == "resourceType":
            copy[name] = child
        elif known is None:
            strange[name] = child
        elif name.startswith("_") or known[1].name in PRIMITIVE_TYPES:
            copy[name] = child
        else:
            _put(copy, name, child, *known, told)
    _take_in_sidecars(copy, members, told)
    _say_absent(copy, path, told)
    if "extension" not in members:
        return copy | strange
    if strange:
        told[UNKNOWN] += len(strange)
        copy["extension"] = [*copy.get("extension", []), *(_kept(name, child) for name, child in strange.items())]
    return copy


def _put(copy: dict[str, Any], name: str, child: Any, element: Element, type_: Type, told: Counter[str]) -> None:
    if child == []:
        told[EMPTY] += 1
        return
    if element.many and not isinstance(child, list):
        told[LIST] += 1
        child = [child]
    copy[name] = (
        [_value(item, type_, told) for item in child] if isinstance(child, list) else _value(child, type_, told)
    )


def _value(value: Any, type_: Type, told: Counter[str]) -> Any:
    if not isinstance(value, dict):
        return value
    if type_.name == "Resource":
        return shaped(value, told)
    return _object(value, "Quantity" if type_.name == "SimpleQuantity" else type_.name, told)


def _take_in_sidecars(copy: dict[str, Any], members: Mapping[str, tuple[Element, Type]], told: Counter[str]) -> None:
    for name in [name for name in copy if name.startswith("_")]:
        element, type_ = members[name[1:]]
        if type_.name in PRIMITIVE_TYPES or element.many or not isinstance(copy[name], dict):
            continue
        told[SIDECAR] += 1
        beside, inside = copy.pop(name), copy.get(name[1:], {})
        extensions = [*inside.get("extension", []), *beside.get("extension", [])]
        copy[name[1:]] = {**beside, **inside} | ({"extension": extensions} if extensions else {})


def _say_absent(copy: dict[str, Any], path: str, told: Counter[str]) -> None:
    for element in elements(path):
        concept = len(element.types) == 1 and element.types[0].name == "CodeableConcept"
        if element.required and concept and element.name not in copy:
            told[ABSENT] += 1
            copy[element.name] = [_ABSENT_CONCEPT] if element.many else _ABSENT_CONCEPT


def _kept(name: str, child: Any) -> dict[str, Any]:
    content = [{"url": "name", "valueString": name}, {"url": "json", "valueString": dumps(child).decode()}]
    return {"url": UNKNOWN_ELEMENT, "extension": content}
