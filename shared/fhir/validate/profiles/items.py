"""The occurrences of an element in an object of JSON (http://hl7.org/fhir/R4/json.html)."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from shared.fhir.definitions import DATATYPES, PRIMITIVE_TYPES

_CHOICES = {name[0].upper() + name[1:]: name for name in DATATYPES | PRIMITIVE_TYPES}
"""How the name of a choice ends in JSON -> the type."""


class Item(NamedTuple):
    """One occurrence of an element."""

    value: Any
    """None where a primitive has extensions in the place of a value."""
    beside: Mapping[str, Any] | None
    """Id and extensions of a primitive."""
    type: str
    """Of a choice, the type that was chosen; empty for others."""
    label: str
    nth: int
    """-1 where the element does not repeat."""

    @property
    def object(self) -> Mapping[str, Any]:
        """Where the elements of this element are; of a primitive, its id and extensions."""
        return self.value if type(self.value) is dict else self.beside or {}


def items_of(parent: Mapping[str, Any], name: str) -> list[Item]:
    """The occurrences of element ``name`` (``value[x]`` for a choice) in ``parent``."""
    if name.endswith("[x]"):
        return list(_chosen(parent, name[:-3]))
    return list(_named(parent, name, "", name))


def _chosen(parent: Mapping[str, Any], stem: str) -> Iterator[Item]:
    seen = set()
    for member in parent:
        plain = member.removeprefix("_")
        type_ = _CHOICES.get(plain.removeprefix(stem)) if plain.startswith(stem) else None
        if type_ is not None and plain not in seen:
            seen.add(plain)
            yield from _named(parent, plain, type_, f"{stem}.ofType({type_})")


def _named(parent: Mapping[str, Any], member: str, type_: str, label: str) -> Iterator[Item]:
    value, beside = parent.get(member), parent.get(f"_{member}")
    if type(value) is list or type(beside) is list:
        values = value if type(value) is list else []
        others = beside if type(beside) is list else []
        for index in range(max(len(values), len(others))):
            each = values[index] if index < len(values) else None
            yield Item(each, others[index] if index < len(others) else None, type_, label, index)
    elif value is not None or beside is not None:
        yield Item(value, beside, type_, label, -1)


def items_at(item: Item, steps: tuple[str, ...]) -> list[Item]:
    """What is found below ``item`` by ``steps`` of plain names; a choice may be named without its ``[x]``."""
    found = [item]
    for step in steps:
        found = [each for one in found for each in items_of(one.object, step) or items_of(one.object, f"{step}[x]")]
    return found
