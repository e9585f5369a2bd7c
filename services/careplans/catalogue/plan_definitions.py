"""Plans of the catalogue as PlanDefinitions (http://hl7.org/fhir/R4/plandefinition.html). Pure."""

from collections.abc import Iterable

from services.careplans.catalogue.fhir import citations, fhirpath, head, url_of
from services.careplans.catalogue.schema import Action, Catalogue, Goal, Plan
from services.careplans.domain.applying.expressions import variables
from services.careplans.domain.applying.extensions import WHY_NOT
from services.careplans.domain.applying.measures import ASSESSMENTS, MEASURES, Assessment, Measure
from shared.fhir.json import Resource

TYPE = "PlanDefinition"
TYPES = "http://terminology.hl7.org/CodeSystem/plan-definition-type"
SELECTION = {"one": "at-most-one", "some": "any"}
"""http://hl7.org/fhir/R4/valueset-action-selection-behavior.html; nobody has to choose any."""

_ALL: tuple[Measure | Assessment, ...] = (*MEASURES, *ASSESSMENTS)
_OBSERVED = {each.variable: each for each in _ALL}


def plan_definitions(catalogue: Catalogue) -> list[Resource]:
    """One for every plan, in the order of the sources."""
    return [_definition(catalogue, plan) for plan in catalogue.plans]


def _definition(catalogue: Catalogue, plan: Plan) -> Resource:
    also = f" Also known as: {', '.join(plan.synonyms)}." if plan.synonyms else ""
    definition = head(TYPE, plan.id, plan.title, plan.description + also, catalogue)
    definition["type"] = {"coding": [{"system": TYPES, "code": "clinical-protocol", "display": "Clinical Protocol"}]}
    definition["relatedArtifact"] = citations(plan.sources, catalogue)
    if plan.goals:
        definition["goal"] = [_goal(goal) for goal in plan.goals]
    definition["action"] = [_action(action, catalogue) for action in plan.actions]
    return definition


def _goal(goal: Goal) -> Resource:
    element: Resource = {"id": goal.id, "description": {"text": goal.text}}
    if goal.measure is not None and goal.target is not None and goal.weeks is not None:
        weeks = {"value": goal.weeks, "unit": "weeks", "system": "http://unitsofmeasure.org", "code": "wk"}
        target = {"measure": _concept(goal.measure), "detailCodeableConcept": {"text": goal.target}, "due": weeks}
        element["target"] = [target]
    return element


def _action(action: Action, catalogue: Catalogue) -> Resource:
    title = action.title or catalogue.treatments[action.treatment or ""][1].title
    element: Resource = {"id": action.id, "title": title, "description": action.why}
    if action.why_not:
        element["extension"] = [{"url": WHY_NOT, "valueString": action.why_not}]
    if action.priority:
        element["priority"] = action.priority
    if action.sources:
        element["documentation"] = citations(action.sources, catalogue)
    if action.goals:
        element["goalId"] = action.goals
    if action.when:
        element["condition"] = [
            {"kind": "applicability", "expression": fhirpath(when.expression, when.text)} for when in action.when
        ]
        if inputs := _inputs(when.expression for when in action.when):
            element["input"] = inputs
    if action.before:
        element["relatedAction"] = [{"actionId": id_, "relationship": "before-start"} for id_ in action.before]
    if action.dynamic:
        element["dynamicValue"] = [
            {"path": dynamic.path, "expression": fhirpath(dynamic.expression)} for dynamic in action.dynamic
        ]
    if action.treatment:
        element["definitionCanonical"] = url_of("ActivityDefinition", action.treatment)
    if action.choose:
        element["groupingBehavior"] = "logical-group"
        element["selectionBehavior"] = SELECTION[action.choose]
        element["action"] = [_action(part, catalogue) for part in action.actions]
    return element


def _inputs(expressions: Iterable[str]) -> list[Resource]:
    """The Observations that the conditions ask for."""
    named = dict.fromkeys(name for expression in expressions for name in variables(expression))
    asked = (_OBSERVED[name] for name in named if name in _OBSERVED)
    return [
        {"type": "Observation", "codeFilter": [{"path": "code", "code": [_coding(each.variable)]}]} for each in asked
    ]


def _concept(variable: str) -> Resource:
    return {"coding": [_coding(variable)], "text": _OBSERVED[variable].title}


def _coding(variable: str) -> Resource:
    system, code = _OBSERVED[variable].coding
    return {"system": system, "code": code, "display": _OBSERVED[variable].title}
