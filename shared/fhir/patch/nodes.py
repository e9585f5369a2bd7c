"""Elements of a resource by their place in its JSON (http://hl7.org/fhir/R4/json.html), so that they can be changed.

A primitive is two things in JSON: its value, and beside it (``_birthDate``) its id and extensions.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from shared.errors import Unprocessable
from shared.fhir.definitions import PRIMITIVE_TYPES, RESOURCE_TYPES
from shared.fhir.definitions.naming import json_names, named_elements


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One element: member ``name`` of its parent, or item ``index`` of it, as an operation finds it. The root has no
    parent.

    It keeps its own JSON, so that looking at it costs the same at any depth."""

    type: str
    value: Any
    """None where a primitive has only extensions."""
    beside: Any = None
    """What stands beside the value of a primitive."""
    parent: "Node | None" = None
    name: str = ""
    index: int = -1

    @property
    def primitive(self) -> bool:
        return self.type in PRIMITIVE_TYPES

    def members(self) -> dict[str, Any]:
        """The object that holds the children; of a primitive, the one beside it. Nothing where it is no object."""
        found = self.beside if self.primitive else self.value
        return found if isinstance(found, dict) else {}

    def made_members(self) -> dict[str, Any]:
        """The same, made beside a primitive that has none. Raises ``Unprocessable`` where another value is there."""
        found = self.beside if self.primitive else self.value
        if found is None and self.primitive:
            return self._made_beside()
        if not isinstance(found, dict):
            raise misshapen()
        return found

    def _made_beside(self) -> dict[str, Any]:
        assert self.parent is not None, "a resource is no primitive"
        made: dict[str, Any] = {}
        if self.index < 0:
            self.parent.members()[f"_{self.name}"] = made
            return made
        values, row = (listed(each) for each in self.parent.rows(self.name))
        row += [None] * (max(len(values), self.index + 1) - len(row))
        row[self.index] = made
        self.parent.members()[f"_{self.name}"] = row
        return made

    @property
    def structure(self) -> str:
        """What its children are defined by: for a primitive those of ``Element``, for a resource those of its type."""
        if self.primitive:
            return "Element"
        type_ = self.members().get("resourceType") if self.type in ("Resource", "DomainResource") else None
        return type_ if isinstance(type_, str) and type_ in RESOURCE_TYPES else self.type

    def children(self, name: str) -> Iterator["Node"]:
        """The elements of that name, in order."""
        members = self.members()
        for written in json_names(self.structure, name):
            named = named_elements(self.structure)[written]
            if not named.element.many:
                if written in members or f"_{written}" in members:
                    yield Node(named.type, members.get(written), members.get(f"_{written}"), self, written)
                continue
            values, row = ([] if each is None else each for each in self.rows(written))
            if isinstance(values, list) and isinstance(row, list):
                pairs = enumerate(zip_longest(values, row))
                yield from (Node(named.type, value, beside, self, written, at) for at, (value, beside) in pairs)

    def rows(self, written: str) -> tuple[Any, Any]:
        """The array of that JSON name and, of primitives, the one beside it."""
        members = self.members()
        return members.get(written), members.get(f"_{written}")

    def remove(self) -> None:
        """Take it out of its parent, and the parent as well where that leaves it empty."""
        node = self
        while (parent := node.parent) is not None:
            node._leave(parent)
            if parent.members():
                return
            if parent.primitive and parent.value is not None:
                parent._drop_beside()
                return
            node = parent

    def _leave(self, parent: "Node") -> None:
        members = parent.members()
        for written in (self.name, f"_{self.name}"):
            if self.index < 0:
                members.pop(written, None)
                continue
            row = members.get(written)
            if isinstance(row, list):
                del row[self.index : self.index + 1]
                if not any(each is not None for each in row):
                    del members[written]

    def _drop_beside(self) -> None:
        """Leave a primitive with nothing but its value."""
        assert self.parent is not None, "a resource is no primitive"
        holder, name = self.parent.members(), f"_{self.name}"
        row = holder.get(name)
        if self.index >= 0 and isinstance(row, list) and self.index < len(row):
            row[self.index] = None
        if self.index < 0 or not any(each is not None for each in row or ()):
            holder.pop(name, None)


def listed(row: Any) -> list[Any]:
    """An array that there may be. Raises ``Unprocessable`` where another value is in its place."""
    if row is None:
        return []
    if not isinstance(row, list):
        raise misshapen()
    return row


def misshapen() -> Unprocessable:
    """An earlier operation, or the value it added, is not of the shape that R4 gives the element."""
    return Unprocessable("The element is not of the shape that R4 defines.", code="structure")
