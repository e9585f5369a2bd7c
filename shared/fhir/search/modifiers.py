"""Which modifier a search parameter takes (http://hl7.org/fhir/R4/search.html#modifiers).

A server has to refuse the others: to leave one out would answer another question.
"""

from collections.abc import Mapping

from shared.errors import Invalid
from shared.fhir.search.parameters import Parameter, is_type

MISSING = "missing"
"""Every kind takes it but composites."""

_EVERY = frozenset[str]()
_CODED = frozenset({"CodeableConcept", "Coding", "code"})
_TABLE: Mapping[str, Mapping[str, frozenset[str]]] = {
    "token": {
        "not": _EVERY,
        "text": frozenset({"CodeableConcept", "Coding", "Identifier"}),
        "in": _CODED,
        "not-in": _CODED,
        "above": _CODED,
        "below": _CODED,
        "of-type": frozenset({"Identifier"}),
    },
    "string": {"exact": _EVERY, "contains": _EVERY},
    "uri": {"above": _EVERY, "below": _EVERY},
    "reference": {"identifier": frozenset({"Reference"})},
    "date": {},
    "number": {},
    "quantity": {},
    "composite": {},
}
"""Kind -> modifier -> the types of which the parameter must have one."""


def require(parameter: Parameter, modifier: str) -> None:
    """Raises ``Invalid`` where ``parameter`` does not take ``modifier``."""
    if not modifier or (modifier == MISSING and parameter.kind != "composite"):
        return
    types = _TABLE.get(parameter.kind, {}).get(modifier)
    if types is not None and (not types or any(path.type in types for path in parameter.paths)):
        return
    if parameter.kind == "reference" and is_type(modifier):
        return
    raise Invalid("This search parameter takes no such modifier.", code="not-supported")
