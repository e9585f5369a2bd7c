"""Going along a path in a resource, to the values that a search parameter looks at."""

from typing import Any

from shared.fhir.search.parameters import ElementPath
from shared.fhir.search.params.reference import is_reference_to


def values_at(element: Any, path: ElementPath) -> list[Any]:
    """The values at ``path`` of ``element``, lists flattened."""
    nodes: list[Any] = [element]
    for key, child, wanted in path.steps:
        found: list[Any] = []
        for node in nodes:
            value = node.get(key)
            if value is None:
                continue
            if type(value) is list:
                found += value
            else:
                found.append(value)
        if not found:
            return found
        # a list of primitives may hold null where only an extension stands
        nodes = found if None not in found else [value for value in found if value is not None]
        if child:
            nodes = [node for node in nodes if node.get(child) == wanted]
    if path.resolves:
        return [node for node in nodes if is_reference_to(node, path.resolves)]
    return nodes
