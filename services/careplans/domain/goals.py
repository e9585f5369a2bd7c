"""Whose a Goal is, and who may change it (http://hl7.org/fhir/R4/goal.html)."""

from collections.abc import Iterator, Mapping

from services.careplans.domain.codes import (
    GOAL_DISCIPLINE,
    extension_value,
    has_coding,
    is_shared_plan,
    reference_of,
)
from services.careplans.domain.hands import EVERYTHING, SELF_CARE, Hands, discipline_of_goal, hands_of, team_of
from shared.errors import Forbidden
from shared.fhir.json import Resource
from shared.fhir.kinds import DecisionContext
from shared.security.caller import Caller, Role

PROPOSED = "proposed"
RELATIONSHIP = "http://hl7.org/fhir/StructureDefinition/goal-relationship"
"""http://hl7.org/fhir/R4/extension-goal-relationship.html; from a goal to its milestones."""
RELATIONSHIP_TYPE = "http://terminology.hl7.org/CodeSystem/goal-relationship-type"


def check_goal(before: Resource | None, after: Resource | None, context: DecisionContext) -> Resource | None:
    """``after``, with the discipline of whoever makes it where it names none. Raises ``Forbidden``."""
    caller = context.caller
    if before is None and after is not None:
        after = _made(after, caller)
    if caller.role in EVERYTHING:
        return after
    if caller.role is Role.PATIENT:
        _check_patient(before, after, caller)
        return after
    allowed = list(_hands(before, context))
    for goal in (before, after):
        if goal is not None and not any(hands.own(discipline_of_goal(goal)) for hands in allowed):
            raise Forbidden("This goal belongs to another discipline.", expression=("Goal.extension",))
    return after


def milestones(goal: Resource) -> Iterator[str]:
    """The goals that are pieces of attaining this one, by their references."""
    for extension in goal.get("extension") or ():
        if extension.get("url") == RELATIONSHIP:
            type_, target = (extension_value(extension, part) for part in ("type", "target"))
            reference = reference_of(target)
            if reference and isinstance(type_, dict) and has_coding([type_], RELATIONSHIP_TYPE, "milestone"):
                yield reference


def _made(goal: Resource, caller: Caller) -> Resource:
    owner = SELF_CARE if caller.role is Role.PATIENT else caller.discipline and caller.discipline.value
    if owner is None or caller.role in EVERYTHING or discipline_of_goal(goal) is not None:
        return goal
    return goal | {"extension": [*(goal.get("extension") or ()), {"url": GOAL_DISCIPLINE, "valueCode": owner}]}


def _hands(before: Resource | None, context: DecisionContext) -> Iterator[Hands]:
    """What the caller may touch: in the plans that the goal is in; else as their token has it."""
    plans = list(_plans(before, context.related))
    for plan in plans:
        patient = reference_of(plan.get("subject"))
        yield hands_of(context.caller, team_of(plan, context.related), patient, context.now)
    if not plans:
        yield hands_of(context.caller, None, None, context.now) if context.caller.discipline else Hands(None)


def _plans(goal: Resource | None, related: Mapping[str, Resource]) -> Iterator[Resource]:
    if goal is not None:
        yield from (each for each in related.values() if is_shared_plan(each))


def _check_patient(before: Resource | None, after: Resource | None, caller: Caller) -> None:
    if after is None:
        raise Forbidden("A patient does not delete a goal: it is cancelled, or rejected.")
    own = caller.fhir_user
    for goal in filter(None, (before, after)):
        said_by = (reference_of(goal.get(element)) for element in ("subject", "expressedBy"))
        if own is None or any(who != own for who in said_by) or discipline_of_goal(goal) != SELF_CARE:
            raise Forbidden("A patient may express goals of their own.", expression=("Goal.expressedBy",))
    if before is None and after["lifecycleStatus"] != PROPOSED:
        raise Forbidden("A goal that a patient expresses is proposed first.", expression=("Goal.lifecycleStatus",))
