"""One condition, contraindication or caution over a patient's inputs."""

from collections.abc import Iterator, Mapping
from typing import Any

from services.careplans.domain.applying.expressions import LANGUAGE, truth, variables
from services.careplans.domain.applying.extensions import hazards
from services.careplans.domain.applying.inputs import Inputs
from services.careplans.domain.applying.proposal import Judged
from shared.errors import Unprocessable
from shared.fhir.json import Resource


def conditions(action: Resource, inputs: Inputs, path: str) -> tuple[Judged, ...]:
    """The action's conditions of applicability; ``start`` and ``stop`` are for later. Raises ``Unprocessable``."""
    judged: list[Judged] = []
    for place, condition in enumerate(action.get("condition") or ()):
        where = f"{path}.condition[{place}].expression"
        expression: Any = condition.get("expression")
        if condition.get("kind") != "applicability":
            continue
        if (
            not isinstance(expression, dict)
            or expression.get("language") != LANGUAGE
            or not isinstance(expression.get("expression"), str)
        ):
            text = f"Conditions are written in {LANGUAGE}."
            raise Unprocessable(text, code="not-supported", expression=(where,))
        said = expression.get("description") or expression["expression"]
        judged.append(judge(str(said), expression["expression"], inputs, where))
    return tuple(judged)


def hazards_of(definition: Resource, url: str, inputs: Inputs) -> Iterator[Judged]:
    """Each hazard of the definition; one that no record tells is not known and needs nothing."""
    for hazard in hazards(definition, url):
        if hazard.expression is None:
            yield Judged(hazard.text, None, None)
        else:
            yield judge(hazard.text, hazard.expression, inputs, "ActivityDefinition.extension.valueExpression")


def judge(text: str, expression: str, inputs: Inputs, path: str) -> Judged:
    """The expression over the inputs."""
    environment = inputs.environment()
    result = truth(expression, environment, path)
    named = tuple(inputs.named(variables(expression)))
    if result is None:
        return Judged(text, expression, result, named)
    known = tuple(entry for entry in named if not entry.missing)
    without = {**environment, **{entry.name: [] for entry in named}}
    # a score of 8 is no reason for what asks for "10 or more, or depression" where depression is recorded
    alone = tuple(entry for entry in known if _leads_to(result, expression, {**without, entry.name: entry.value}))
    return Judged(text, expression, result, named, alone or known)


def _leads_to(result: bool, expression: str, environment: Mapping[str, Any]) -> bool:
    try:
        return truth(expression, environment, "condition") is result
    except Unprocessable:  # it cannot do without the others
        return False
