"""Who may write what in the shared record, and what may follow what. Every way in passes through here."""

from collections import Counter
from typing import Any

from services.careplans.domain.codes import (
    ACTIVITY_DISCIPLINE,
    ACTIVITY_STATUS,
    extension_value,
    followed_task,
    is_shared_plan,
    plan_of_team,
    reference_of,
)
from services.careplans.domain.facts import plan_facts, team_facts
from services.careplans.domain.measures.derive import scores
from services.careplans.domain.measures.self_harm import self_harm_facts
from services.careplans.domain.states import CARE_PLAN, GOAL, require_legal
from shared.errors import Conflict, Forbidden, Unprocessable
from shared.fhir.json import Resource
from shared.fhir.kinds import Decision, DecisionContext
from shared.security.caller import Caller, Role, internal

KEEPER = internal("careplans")
"""The only caller that may make a shared plan, and move the activities that follow referrals.

It is known by identity: a token may carry the same subject."""

_GIVERS = ("author", "source")
"""Who wrote the answers down, and who gave them: of a patient's own, nobody else."""


def decide_record(before: Resource | None, after: Resource | None, context: DecisionContext) -> Decision:
    """The shared record: patients read it and do not write it."""
    refuse_patients(context.caller)
    return Decision(after)


def decide_questionnaire_response(
    before: Resource | None, after: Resource | None, context: DecisionContext
) -> Decision:
    """Answers: a patient may give their own, in nobody else's name, and change nobody else's.

    The scores of outcome measures among them follow in the same transaction."""
    if context.caller.role is Role.PATIENT:
        own = context.caller.fhir_user
        for version in filter(None, (before, after)):
            for element in ("subject", *(name for name in _GIVERS if name in version)):
                if own is None or reference_of(version.get(element)) != own:
                    path = f"QuestionnaireResponse.{element}"
                    raise Forbidden("A patient may write their own answers only.", expression=(path,))
    return Decision(after, self_harm_facts(before, after), scores(before, after, context.id, context.now))


def decide_observation(before: Resource | None, after: Resource | None, context: DecisionContext) -> Decision:
    """As all of the shared record; an answer about self-harm is told, however it comes in."""
    refuse_patients(context.caller)
    return Decision(after, self_harm_facts(before, after))


def decide_care_plan(before: Resource | None, after: Resource | None, context: DecisionContext) -> Decision:
    """Legal status, the same subject, one shared plan per patient whose referral activities follow their referrals.

    Raises ``Forbidden`` for patients, ``Conflict`` for an illegal status or a second or removed shared plan,
    ``Unprocessable`` for a changed subject or a touched referral activity."""
    refuse_patients(context.caller)
    if before is not None and after is not None:
        _same_subject(before, after, "CarePlan.subject")
        require_legal(CARE_PLAN, before.get("status"), after.get("status"), "CarePlan.status")
    if context.caller is not KEEPER:
        _leave_shared_plan_alone(before, after)
    return Decision(after, plan_facts(before, after))


def decide_care_team(before: Resource | None, after: Resource | None, context: DecisionContext) -> Decision:
    """A shared plan's team stays the team of that plan; people may edit who is in it."""
    refuse_patients(context.caller)
    if context.caller is not KEEPER and plan_of_team(before) != plan_of_team(after):
        raise Conflict("A shared plan's team is made and kept with the plan.", expression=("CareTeam.identifier",))
    if before is not None and after is not None and plan_of_team(before) is not None:
        _same_subject(before, after, "CareTeam.subject")
    return Decision(after, team_facts(before, after))


def decide_goal(before: Resource | None, after: Resource | None, context: DecisionContext) -> Decision:
    """Legal lifecycle, the same subject."""
    refuse_patients(context.caller)
    if before is not None and after is not None:
        _same_subject(before, after, "Goal.subject")
        require_legal(GOAL, before.get("lifecycleStatus"), after.get("lifecycleStatus"), "Goal.lifecycleStatus")
    return Decision(after)


def refuse_patients(caller: Caller) -> None:
    """Raises ``Forbidden`` for a patient."""
    if caller.role is Role.PATIENT:
        raise Forbidden("Patients may read the shared record, not write it.")


def _leave_shared_plan_alone(before: Resource | None, after: Resource | None) -> None:
    was, is_ = is_shared_plan(before), is_shared_plan(after)
    if after is None and was:
        raise Conflict("The shared plan is not deleted: revoke it, or mark it as entered in error.")
    if is_ and not was:
        text = "A patient has one shared plan, made by the first referral or by POST /api/plans."
        raise Conflict(text, code="duplicate", expression=("CarePlan.category",))
    if was and not is_:
        raise Conflict("The shared plan stays the shared plan.", expression=("CarePlan.category",))
    if was and _followed(before) != _followed(after):
        text = "An activity that follows a referral changes with its referral, not by hand."
        raise Unprocessable(text, expression=("CarePlan.activity",))


def _followed(plan: Resource | None) -> Counter[tuple[Any, ...]]:
    """What referrals say in their activities; outcomes, progress and the rest are open to people."""
    return Counter(
        (
            task,
            reference_of(activity.get("reference")),
            extension_value(activity, ACTIVITY_STATUS),
            extension_value(activity, ACTIVITY_DISCIPLINE),
        )
        for activity in (plan or {}).get("activity") or ()
        if (task := followed_task(activity)) is not None
    )


def _same_subject(before: Resource, after: Resource, path: str) -> None:
    if _identity(before.get("subject")) != _identity(after.get("subject")):
        raise Unprocessable("The subject does not change; make a new resource for another patient.", expression=(path,))


def _identity(reference: Any) -> tuple[Any, Any]:
    if not isinstance(reference, dict):
        return None, None
    target = reference.get("reference")
    return target, None if target else reference.get("identifier")
