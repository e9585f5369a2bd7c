"""The operations of a FHIRPath Patch as values, read from its Parameters (http://hl7.org/fhir/R4/fhirpatch.html)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from shared.errors import ConsiliumError, Invalid, TooLarge
from shared.fhir.json import Resource
from shared.fhir.patch.expression import Step, parsed

MOST_OPERATIONS = 1_000
MOST_PATHS = 100_000
"""Characters of all paths of one patch: reading them takes time."""
TYPES = frozenset({"add", "insert", "delete", "replace", "move"})
_NEEDS = {
    "add": ("path", "name", "value"),
    "insert": ("path", "index", "value"),
    "delete": ("path",),
    "replace": ("path", "value"),
    "move": ("path", "source", "destination"),
}
_VALUE_TYPE = {"index": "valueInteger", "source": "valueInteger", "destination": "valueInteger"}


@dataclass(frozen=True, slots=True)
class Given:
    """A value: its JSON, what stands beside it, and the suffix that names its type (``Quantity``); or the ``parts``
    of a nested element that has no type of its own."""

    value: Any = None
    beside: Any = None
    suffix: str = ""
    parts: tuple[tuple[str, "Given"], ...] | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation."""

    type: str
    path: tuple[Step, ...]
    where: str
    """The operation's own place, for errors: ``Parameters.parameter[0]``."""
    name: str = ""
    value: Given = Given()
    index: int = 0
    source: int = 0
    destination: int = 0


def operations(patch: Resource) -> list[Operation]:
    """What ``patch`` asks for. Raises ``Invalid`` with the place of what is wrong, ``TooLarge`` for too much."""
    listed = patch.get("parameter", [])
    if not isinstance(listed, list):
        raise Invalid("A patch lists its operations.", code="structure", expression=("Parameters.parameter",))
    if len(listed) > MOST_OPERATIONS:
        raise TooLarge("The patch has more operations than this server takes.", code="too-costly")
    found: list[Operation] = []
    length = 0
    for number, each in enumerate(listed):
        members = _members(each, f"Parameters.parameter[{number}]")
        length += len(members["path"])
        if length > MOST_PATHS:
            raise TooLarge("The paths of the patch are longer than this server takes.", code="too-costly")
        found.append(_operation(members))
    return found


def _members(parameter: Any, where: str) -> dict[str, Any]:
    if not isinstance(parameter, dict) or parameter.get("name") != "operation":
        raise Invalid("A parameter of a patch is named operation.", code="value", expression=(f"{where}.name",))
    parts = dict(_parts(parameter, where))
    type_ = _plain(parts, "type", where, ("valueCode", "valueString"))
    if not isinstance(type_, str) or type_ not in TYPES:
        raise Invalid("An operation is add, insert, delete, replace or move.", code="value", expression=(where,))
    found: dict[str, Any] = {"type": type_, "where": where}
    for name in _NEEDS[type_]:
        if name == "value":
            found[name] = _given(_required(parts, name, where), where)
        elif name in _VALUE_TYPE:
            found[name] = _position(parts, name, where)
        else:
            text = _plain(parts, name, where, ("valueString",))
            if not isinstance(text, str) or not text:
                raise Invalid(f"The {name} of an operation is a valueString.", code="value", expression=(where,))
            found[name] = text
    return found


def _operation(members: dict[str, Any]) -> Operation:
    try:
        return Operation(**members | {"path": parsed(members["path"])})
    except ConsiliumError as error:
        raise Invalid(str(error), code=error.issues[0].code, expression=(members["where"],)) from error


def _parts(holder: dict[str, Any], where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    parts = holder.get("part", [])
    if not isinstance(parts, list):
        raise Invalid("The parts of a parameter are a list.", code="structure", expression=(f"{where}.part",))
    for number, part in enumerate(parts):
        name = part.get("name") if isinstance(part, dict) else None
        if not isinstance(name, str):
            raise Invalid("A part has a name.", code="required", expression=(f"{where}.part[{number}]",))
        yield name, part


def _required(parts: dict[str, dict[str, Any]], name: str, where: str) -> dict[str, Any]:
    if name not in parts:
        raise Invalid(f"The operation lacks its {name}.", code="required", expression=(where,))
    return parts[name]


def _plain(parts: dict[str, dict[str, Any]], name: str, where: str, members: tuple[str, ...]) -> Any:
    part = _required(parts, name, where)
    return next((part[member] for member in members if member in part), None)


def _position(parts: dict[str, dict[str, Any]], name: str, where: str) -> int:
    value = _plain(parts, name, where, (_VALUE_TYPE[name],))
    if type(value) is not int or not 0 <= value < 1_000_000:
        raise Invalid(f"The {name} of an operation is a valueInteger from 0.", code="value", expression=(where,))
    return value


def _given(part: dict[str, Any], where: str, depth: int = 0) -> Given:
    if depth > 50:
        raise Invalid("The value is nested too deeply.", code="structure", expression=(where,))
    if "part" in part:
        return Given(parts=tuple((name, _given(each, where, depth + 1)) for name, each in _parts(part, where)))
    if "resource" in part:
        return Given(part["resource"], suffix="Resource")
    suffixes = {name.lstrip("_").removeprefix("value") for name in part if name.lstrip("_").startswith("value")}
    if len(suffixes) != 1:
        raise Invalid("A value is one value[x], or parts.", code="value", expression=(where,))
    (suffix,) = suffixes
    return Given(part.get(f"value{suffix}"), part.get(f"_value{suffix}"), suffix)
