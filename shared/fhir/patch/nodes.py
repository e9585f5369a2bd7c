"""Elements of a resource by their place in its JSON (http://hl7.org/fhir/R4/json.html), so that they can be changed.

A primitive is two things in JSON: its value, and beside it (``_birthDate``) its id and extensions.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from shared.fhir.definitions import PRIMITIVE_TYPES, RESOURCE_TYPES
from shared.fhir.definitions.naming import json_names, named_elements


@dataclass(frozen=True, slots=True)
class Node:
    """One element: member ``name`` of ``holder``, or item ``index`` of it. The root has no holder."""

    type: str
    parent: "Node | None" = None
    name: str = ""
    index: int = -1
    root: dict[str, Any] | None = None

    @property
    def value(self) -> Any:
        """The JSON value; None where a primitive has only extensions."""
        if self.parent is None:
            return self.root
        held = self.parent.members().get(self.name)
        if self.index < 0:
            return held
        return held[self.index] if isinstance(held, list) and self.index < len(held) else None

    @property
    def primitive(self) -> bool:
        return self.type in PRIMITIVE_TYPES

    def members(self, *, make: bool = False) -> dict[str, Any]:
        """The object that holds the children; of a primitive, the one beside it. ``make``: made where there is none."""
        found = self._beside(make=make) if self.primitive else self.value
        return found if isinstance(found, dict) else {}

    def _beside(self, *, make: bool) -> Any:
        assert self.parent is not None, "a resource is no primitive"
        holder, name = self.parent.members(make=make), f"_{self.name}"
        if self.index < 0:
            return holder.setdefault(name, {}) if make else holder.get(name)
        row = holder.setdefault(name, []) if make else holder.get(name)
        if not isinstance(row, list):
            return None
        if make:
            row += [None] * (max(len(holder.get(self.name, ())), self.index + 1) - len(row))
            row[self.index] = row[self.index] or {}
        return row[self.index] if self.index < len(row) else None

    @property
    def structure(self) -> str:
        """What its children are defined by: for a primitive those of ``Element``, for a resource those of its type."""
        if self.primitive:
            return "Element"
        value = self.value
        type_ = value.get("resourceType") if self.type in ("Resource", "DomainResource") else None
        return type_ if isinstance(type_, str) and type_ in RESOURCE_TYPES else self.type

    def children(self, name: str) -> Iterator["Node"]:
        """The elements of that name, in order."""
        members = self.members()
        for written in json_names(self.structure, name):
            named = named_elements(self.structure)[written]
            if not named.element.many:
                if written in members or f"_{written}" in members:
                    yield Node(named.type, self, written)
                continue
            length = max((len(row) for row in self.rows(written) if isinstance(row, list)), default=0)
            yield from (Node(named.type, self, written, at) for at in range(length))

    def rows(self, written: str) -> tuple[Any, Any]:
        """The array of that JSON name and, of primitives, the one beside it."""
        members = self.members()
        return members.get(written), members.get(f"_{written}")

    def remove(self) -> None:
        """Take it out of its parent, and the parent as well where that leaves it empty."""
        parent = self.parent
        assert parent is not None, "the root is not removed"
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
        if not members and parent.parent is not None:
            if parent.primitive and parent.value is not None:
                parent.drop_beside()
            else:
                parent.remove()

    def drop_beside(self) -> None:
        """Leave a primitive with nothing but its value."""
        assert self.parent is not None, "a resource is no primitive"
        holder, name = self.parent.members(), f"_{self.name}"
        row = holder.get(name)
        if self.index >= 0 and isinstance(row, list) and self.index < len(row):
            row[self.index] = None
        if self.index < 0 or not any(each is not None for each in row or ()):
            holder.pop(name, None)
