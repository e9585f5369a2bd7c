"""One condition, contraindication or caution over a patient's inputs."""

from collections.abc import Iterator
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
    result = truth(expression, inputs.environment(), path)
    return Judged(text, expression, result, tuple(inputs.named(variables(expression))))
