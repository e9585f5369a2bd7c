"""Coded elements that a model has accepted before: the same few concepts come again and again, and are checked once.

A CodeableConcept is told by its ``coding``, an element that no other type of R4 has. What is remembered is the model's
own instance, which it takes in place of the raw element.
"""

from collections import OrderedDict
from typing import Any

from fhir.resources.R4B.codeableconcept import CodeableConcept
from pydantic import ValidationError

from shared.fhir.json import dumps

REMEMBERED = 2_048
LONGEST = 1_000
"""Bytes of an element that is worth remembering."""

_known: OrderedDict[bytes, CodeableConcept] = OrderedDict()


def with_known_concepts(value: Any) -> Any:
    """``value`` with its CodeableConcepts as model instances; the same object where there are none."""
    if type(value) is dict:
        if "coding" in value:
            return _concept(value)
        changed = {}
        for name, child in value.items():
            if type(child) is dict or type(child) is list:
                known = with_known_concepts(child)
                if known is not child:
                    changed[name] = known
        return {**value, **changed} if changed else value
    items = [with_known_concepts(item) if type(item) is dict else item for item in value]
    return items if any(new is not old for new, old in zip(items, value, strict=True)) else value


def _concept(value: dict[str, Any]) -> Any:
    key = dumps(value)
    known = _known.get(key)
    if known is not None:
        _known.move_to_end(key)
        return known
    try:
        concept = CodeableConcept.model_validate(value)
    except ValidationError:
        return value  # the model of the whole finds it again, with its place
    if len(key) <= LONGEST:
        _known[key] = concept
        if len(_known) > REMEMBERED:
            _known.popitem(last=False)
    return concept
