"""Finding the ActivityDefinition of an action by its canonical URL (http://hl7.org/fhir/R4/references.html#canonical)."""

from collections.abc import Iterable, Mapping
from typing import Any

from services.careplans.domain.applying.classes import codings
from services.careplans.domain.applying.extensions import TREATMENT
from shared.errors import Unprocessable
from shared.fhir.json import Resource

Definitions = Mapping[str, Resource]
"""By canonical URL, with and without the version."""


def indexed(definitions: Iterable[Resource]) -> Definitions:
    """ActivityDefinitions by canonical URL. Of several versions, the last one given is found without a version."""
    found: dict[str, Resource] = {}
    for definition in definitions:
        if isinstance(definition.get("url"), str):
            found[definition["url"]] = found[canonical(definition)] = definition
    return found


def canonical(definition: Resource) -> str:
    """Its canonical URL, with the version if it has one; its own reference where it has no URL."""
    url = definition.get("url") or f"{definition.get('resourceType')}/{definition.get('id', 'unknown')}"
    version = definition.get("version")
    return f"{url}|{version}" if version else str(url)


def definition_of(action: Resource, definitions: Definitions, path: str) -> Resource | None:
    """The definition that the action names, or None. Raises ``Unprocessable`` where it is not found."""
    named: Any = action.get("definitionCanonical")
    if "definitionUri" in action:
        raise Unprocessable(
            "Definitions by URI are not applied.", code="not-supported", expression=(f"{path}.definitionUri",)
        )
    if named is None:
        return None
    definition = definitions.get(named)
    if definition is None:
        text = "There is no ActivityDefinition by this canonical URL."
        raise Unprocessable(text, code="not-found", expression=(f"{path}.definitionCanonical",))
    return definition


def named_by(plan: Resource) -> set[str]:
    """The canonical URLs, without versions, of the definitions that the plan's actions name."""
    found: set[str] = set()
    waiting = list(plan.get("action") or ())
    while waiting:
        action = waiting.pop()
        waiting += action.get("action") or ()
        if isinstance(action.get("definitionCanonical"), str):
            found.add(action["definitionCanonical"].partition("|")[0])
    return found


def plan_of(definition: Resource) -> Resource:
    """An ActivityDefinition as the plan that has it as its only action; it is known by the definition's own URL.

    Raises ``Unprocessable`` for one without a URL."""
    if "url" not in definition:
        text = "A definition is known by its URL, and this one has none."
        raise Unprocessable(text, code="required", expression=("ActivityDefinition.url",))
    copied = ("id", "url", "version", "title", "description", "status")
    plan = {name: definition[name] for name in copied if name in definition}
    action = {"id": treatment_of(definition), "definitionCanonical": canonical(definition)}
    if why := definition.get("purpose") or definition.get("description"):
        action["description"] = why
    return {"resourceType": "PlanDefinition", **plan, "action": [action]}


def treatment_of(definition: Resource) -> str:
    """The code by which people decline or prefer it: the catalogue's, else the end of the URL."""
    own = next((code for system, code in codings(definition.get("code")) if system == TREATMENT), None)
    return own or str(definition.get("url", "")).rpartition("/")[2]
