"""Our extensions of definitions and of proposals, and what is read from them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from services.careplans.domain.codes import extension_value
from shared.fhir.json import Resource

_BASE = "https://consilium.care/fhir/StructureDefinition/"

TREATMENT = "https://consilium.care/fhir/CodeSystem/treatment"
"""The codes of the catalogue's items and groups."""

CONTRAINDICATION = _BASE + "treatment-contraindication"
CAUTION = _BASE + "treatment-caution"
"""Both: ``text``, and ``condition`` (an Expression) where the record may tell; without it people have to ask."""
GROUP = _BASE + "treatment-group"
FORMAT = _BASE + "treatment-format"
"""``individual``, ``group``, ``telehealth`` or ``self-guided``."""
ALWAYS = _BASE + "treatment-always"
"""On a treatment that is offered whatever was declined before."""
HELPS = _BASE + "treatment-helps"
INGREDIENT = _BASE + "treatment-ingredient"
UNVERIFIED = _BASE + "unverified"
WHY_NOT = _BASE + "why-not"
"""On ``PlanDefinition.action``: what to say where its condition does not hold."""

CONSIDERED = _BASE + "action-considered"
"""On a proposal, one for every action of the plan: ``action``, ``title``, ``outcome``, ``reason``, ``condition``
(complex: ``text``, ``expression``, ``result``, ``input``), ``needs``."""
SERVES = _BASE + "action-goal"
"""On ``RequestGroup.action``: a Goal that it serves."""
NEEDS = _BASE + "proposal-needs"
"""On a proposal: data that was missing."""


@dataclass(frozen=True, slots=True)
class Hazard:
    """A contraindication or a caution. ``expression`` is None where no record tells."""

    text: str
    expression: str | None


def hazards(definition: Resource, url: str) -> Iterator[Hazard]:
    """The contraindications or cautions of an ActivityDefinition."""
    for extension in extensions(definition, url):
        text = extension_value(extension, "text")
        expression = extension_value(extension, "condition")
        if isinstance(text, str):
            yield Hazard(text, expression.get("expression") if isinstance(expression, dict) else None)


def extensions(element: Resource, url: str) -> list[Resource]:
    """The element's extensions ``url``."""
    return [each for each in element.get("extension") or () if isinstance(each, dict) and each.get("url") == url]


def group_of(definition: Resource) -> str | None:
    """The group of treatments that it belongs to."""
    group = extension_value(definition, GROUP)
    return group if isinstance(group, str) else None


def formats(definition: Resource) -> frozenset[Any]:
    """How a treatment is given."""
    return frozenset(each.get("valueCode") for each in extensions(definition, FORMAT))
