"""Which elements of a resource a path selects."""

from collections.abc import Iterable
from decimal import Decimal
from itertools import islice

from shared.errors import Unprocessable
from shared.fhir.definitions import PRIMITIVE_TYPES
from shared.fhir.definitions.naming import json_names
from shared.fhir.patch.expression import (
    Both,
    Child,
    Condition,
    Either,
    Equals,
    Exists,
    Extension,
    Index,
    OfType,
    Single,
    Step,
    Where,
)
from shared.fhir.patch.nodes import Node

MOST_LOOKED_AT = 100_000
"""Elements, and names of elements, that one patch may look at."""


class Selector:
    """Applies paths, and counts what they look at over a whole patch."""

    def __init__(self) -> None:
        self.looks = 0

    def select(self, nodes: list[Node], steps: Iterable[Step]) -> list[Node]:
        """What ``steps`` lead to from ``nodes``. Raises ``Unprocessable`` for a ``single()`` of several."""
        for step in steps:
            self._look(len(nodes))
            match step:
                case Child(name):
                    nodes = [child for node in nodes for child in self._children(node, name)]
                case Index(at):
                    nodes = nodes[at:][:1]
                case Single():
                    if len(nodes) > 1:
                        raise Unprocessable("The path has single(), and finds several.", code="processing")
                case OfType(type_):
                    nodes = [node for node in nodes if node.structure == type_ or node.type == type_]
                case Extension(url):
                    found = [child for node in nodes for child in self._children(node, "extension")]
                    nodes = [node for node in found if node.members().get("url") == url]
                case Where(condition):
                    nodes = [node for node in nodes if self._holds(condition, node)]
        return nodes

    def _children(self, node: Node, name: str) -> list[Node]:
        found = list(islice(node.children(name), MOST_LOOKED_AT - self.looks + 1))
        self._look(len(found) + len(json_names(node.structure, name)))
        return found

    def _look(self, elements: int) -> None:
        self.looks += max(elements, 1)
        if self.looks > MOST_LOOKED_AT:
            raise Unprocessable("The patch looks at more elements than this server allows.", code="too-costly")

    def _holds(self, condition: Condition, node: Node) -> bool:
        self._look(1)
        match condition:
            case Both(all_of):
                return all(self._holds(each, node) for each in all_of)
            case Either(any_of):
                return any(self._holds(each, node) for each in any_of)
            case Exists(path, negated):
                return bool(self.select([node], path)) != negated
            case Equals(path, literal, negated):
                values = [found.value for found in self.select([node], path) if found.type in PRIMITIVE_TYPES]
                # as in FHIRPath: nothing is neither equal nor unequal, and several are not equal to one
                return bool(values) and (len(values) == 1 and _same(values[0], literal)) != negated


def _same(value: object, literal: str | bool | Decimal) -> bool:
    if isinstance(value, bool) or isinstance(literal, bool):
        return value is literal
    if isinstance(value, int | Decimal) and isinstance(literal, Decimal):
        return value == literal
    return isinstance(value, str) and value == literal
