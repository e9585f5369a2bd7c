"""Elements by the names under which they stand in JSON (http://hl7.org/fhir/R4/json.html)."""

from dataclasses import dataclass
from functools import cache

from shared.fhir.definitions.table import Element, elements


@dataclass(frozen=True, slots=True)
class Named:
    """An element of a type, with the type that a JSON name stands for (``valueQuantity``)."""

    element: Element
    type: str


@cache
def named_elements(path: str) -> dict[str, Named]:
    """The elements of a type or of a part of one, by JSON name. Raises ``KeyError`` for what R4 does not define."""
    return {name: Named(element, type_.name) for element in elements(path) for name, type_ in element.names()}


def json_names(path: str, name: str) -> tuple[str, ...]:
    """The JSON names under which the element ``name`` may stand: those of its types for a choice (``value``)."""
    return _names(path).get(name, ())


@cache
def _names(path: str) -> dict[str, tuple[str, ...]]:
    """Cached by type alone: clients send names."""
    found: dict[str, tuple[str, ...]] = {}
    for written, named in named_elements(path).items():
        name = named.element.name.removesuffix("[x]")
        if named.element.choice or written == name:
            found[name] = (*found.get(name, ()), written)
    return found
