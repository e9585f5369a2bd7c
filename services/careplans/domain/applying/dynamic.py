"""``PlanDefinition.action.dynamicValue``: elements that are computed when the plan is applied."""

from decimal import Decimal
from typing import Any

from services.careplans.domain.applying.expressions import LANGUAGE, evaluate
from services.careplans.domain.applying.inputs import Inputs
from shared.errors import Unprocessable
from shared.fhir.json import Resource

PATHS = frozenset({"title", "description", "textEquivalent", "timingDateTime"})
"""The elements of an action that may be computed; all of them are texts or dates."""


def with_dynamic_values(action: Resource, inputs: Inputs, path: str) -> Resource:
    """The action with its dynamic values set; one whose expression is empty leaves the element as it was.

    Raises ``Unprocessable`` for another path, another language, or a value that is no single text or number."""
    computed = dict(action)
    for place, dynamic in enumerate(action.get("dynamicValue") or ()):
        where = f"{path}.dynamicValue[{place}]"
        target, expression = dynamic.get("path"), dynamic.get("expression")
        if target not in PATHS:
            text = f"Only these can be computed: {', '.join(sorted(PATHS))}."
            raise Unprocessable(text, code="not-supported", expression=(f"{where}.path",))
        if not isinstance(expression, dict) or expression.get("language") != LANGUAGE:
            text = f"Dynamic values are written in {LANGUAGE}."
            raise Unprocessable(text, code="not-supported", expression=(f"{where}.expression",))
        value = _value(str(expression.get("expression")), inputs, f"{where}.expression")
        if value is not None:
            computed[target] = value
    return computed


def _value(expression: str, inputs: Inputs, path: str) -> str | None:
    found: list[Any] = evaluate(expression, inputs.environment(), path)
    if not found:
        return None
    if len(found) > 1 or isinstance(found[0], bool) or not isinstance(found[0], (str, int, Decimal)):
        raise Unprocessable("A dynamic value must be one text or number.", expression=(path,))
    return str(found[0])
