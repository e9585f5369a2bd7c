"""Which elements of a resource a path selects."""

from collections.abc import Iterable
from decimal import Decimal

from shared.errors import Unprocessable
from shared.fhir.definitions import PRIMITIVE_TYPES
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

MOST_LOOKED_AT = 200_000
"""Elements that one patch may look at."""


class Selector:
    """Applies paths, and counts what they look at over a whole patch."""

    def __init__(self) -> None:
        self._left = MOST_LOOKED_AT

    def select(self, nodes: list[Node], steps: Iterable[Step]) -> list[Node]:
        """What ``steps`` lead to from ``nodes``. Raises ``Unprocessable`` for a ``single()`` of several."""
        for step in steps:
            match step:
                case Child(name):
                    nodes = self._looked_at([child for node in nodes for child in node.children(name)])
                case Index(at):
                    nodes = nodes[at:][:1]
                case Single():
                    if len(nodes) > 1:
                        raise Unprocessable("The path has single(), and finds several.", code="processing")
                case OfType(type_):
                    nodes = [node for node in nodes if node.structure == type_ or node.type == type_]
                case Extension(url):
                    found = self._looked_at([child for node in nodes for child in node.children("extension")])
                    nodes = [node for node in found if node.members().get("url") == url]
                case Where(condition):
                    nodes = [node for node in self._looked_at(nodes) if self._holds(condition, node)]
        return nodes

    def _looked_at(self, nodes: list[Node]) -> list[Node]:
        self._left -= len(nodes)
        if self._left < 0:
            raise Unprocessable("The patch looks at more elements than this server allows.", code="too-costly")
        return nodes

    def _holds(self, condition: Condition, node: Node) -> bool:
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
