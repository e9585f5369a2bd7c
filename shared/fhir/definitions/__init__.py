"""What R4 (4.0.1) defines, as a compact table of facts: the types, their elements, required codes, reference targets.

``RESOURCE_TYPES`` are the 146 types of which a resource can be an instance (``Parameters`` and ``Bundle`` among them);
with the two ``ABSTRACT_TYPES`` they are the 148 of http://hl7.org/fhir/R4/valueset-resource-types.html.
"""

from functools import cache

from shared.fhir.definitions.table import elements, facts

ABSTRACT_TYPES = frozenset({"DomainResource", "Resource"})
RESOURCE_TYPES = frozenset(facts()["resources"]) - ABSTRACT_TYPES
DATATYPES = frozenset(facts()["types"])
PRIMITIVE_TYPES = frozenset(facts()["primitives"])


@cache
def reference_targets(type_: str, path: str) -> frozenset[str]:
    """The resource types that ``path`` may refer to: ``reference_targets("CarePlan", "activity.reference")``.

    A choice is named without its type (``medication``); a reference to any resource gives ``RESOURCE_TYPES``.
    Raises ``KeyError`` where R4 has no such Reference element."""
    owner, name = type_, ""
    for step in path.split("."):
        owner = f"{owner}.{name}" if name else owner
        name = step
    found = {e.name.removesuffix("[x]"): e for e in elements(owner)}[name]
    references = [t for t in found.types if t.name == "Reference"]
    if not references:
        raise KeyError(path)
    if any(not reference.targets for reference in references):
        return RESOURCE_TYPES
    return frozenset[str]().union(*(reference.targets for reference in references))


__all__ = ["ABSTRACT_TYPES", "DATATYPES", "PRIMITIVE_TYPES", "RESOURCE_TYPES", "reference_targets"]
