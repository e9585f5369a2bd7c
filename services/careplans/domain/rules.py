"""Who may write what in the shared record, and what may follow what. Every way in passes through here."""

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import partial
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
from services.careplans.domain.ending import check_ending
from services.careplans.domain.entries import check_entry
from services.careplans.domain.facts import plan_facts, team_facts
from services.careplans.domain.goals import check_goal
from services.careplans.domain.hands import check_plan, check_team, hands_of, team_of
from services.careplans.domain.identity import refuse_own_ids, with_ids
from services.careplans.domain.measures.derive import scores
from services.careplans.domain.measures.self_harm import self_harm_facts
from services.careplans.domain.proposals.offered import plan_of_proposal
from services.careplans.domain.safety.answering import decide_by_people, decide_by_rules
from services.careplans.domain.safety.issues import is_finding
from services.careplans.domain.sources import without
from services.careplans.domain.states import CARE_PLAN, GOAL, require_legal
from services.careplans.domain.uncertainty import check_condition
from shared.errors import Conflict, Forbidden, Unprocessable
from shared.fhir.json import Resource
from shared.fhir.kinds import Consequence, Decision, DecisionContext, Referring
from shared.security.caller import Caller, Role, internal

PRESCRIBING = frozenset({"pain-medicine", "mental-health"})
"""The disciplines that prescribe, and answer findings about medicines."""
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
    return Decision(after, self_harm_facts(before, after, context.now), scores(before, after, context.id, context.now))


def decide_observation(before: Resource | None, after: Resource | None, context: DecisionContext) -> Decision:
    """As all of the shared record; an answer about self-harm is told, however it comes in.

    Patients and who supports them write entries of their own."""
    if context.caller.role is Role.PATIENT:
        check_entry(before, after, context.caller, context.related, context.now)
    return Decision(after, self_harm_facts(before, after, context.now))


def decide_condition(before: Resource | None, after: Resource | None, context: DecisionContext) -> Decision:
    """As all of the shared record; what it says of a revisit and of red flags can be kept to."""
    refuse_patients(context.caller)
    if after is not None:
        check_condition(after)
    return Decision(after)


def decide_detected_issue(before: Resource | None, after: Resource | None, context: DecisionContext) -> Decision:
    """As all of the shared record; a finding of the safety rules is made by the service, and people answer it."""
    refuse_patients(context.caller)
    if not is_finding(before) and not is_finding(after):
        return Decision(after)
    if context.caller is KEEPER:
        return Decision(after, decide_by_rules(before, after))
    _require_prescribing(before, context)
    return Decision(*decide_by_people(before, after, context.caller, context.now))


def _require_prescribing(issue: Resource | None, context: DecisionContext) -> None:
    """Raises ``Forbidden`` for a clinician who takes part in none of the patient's plans for a discipline that
    prescribes; where there is no plan, for one of another discipline."""
    caller, patient = context.caller, reference_of((issue or {}).get("patient"))
    plans = [each for each in context.related.values() if is_shared_plan(each)]
    for plan in plans:
        own = hands_of(caller, team_of(plan, context.related), patient, context.now).disciplines
        if own is None or not own.isdisjoint(PRESCRIBING):
            return
    if not plans and (caller.discipline is None or caller.discipline in PRESCRIBING):
        return
    text = "A finding about medicines is answered by who prescribes, or coordinates."
    raise Forbidden(text, expression=("DetectedIssue.extension",))


def plans_of_finding(before: Resource | None, after: Resource | None) -> Iterable[Referring]:
    """The plans of the patient of a finding that is answered."""
    patient = reference_of((before or {}).get("patient"))
    if is_finding(before) and patient is not None and patient.startswith("Patient/"):
        yield Referring("CarePlan", patient)


def decide_request_group(before: Resource | None, after: Resource | None, context: DecisionContext) -> Decision:
    """As all of the shared record; a proposal for a shared plan is stored and decided on by its operations alone."""
    refuse_patients(context.caller)
    ours = [each for each in (before, after) if plan_of_proposal(each) is not None]
    if ours and context.caller is not KEEPER:
        text = "A proposal is made by $propose, and changes by decisions on its actions ($decide)."
        raise Conflict(text, expression=("RequestGroup.extension",))
    return Decision(after)


def decide_care_plan(before: Resource | None, after: Resource | None, context: DecisionContext) -> Decision:
    """Legal status, the same subject, one shared plan per patient whose referral activities follow their referrals,
    and of which everybody changes their own part.

    Raises ``Forbidden`` for somebody else's part, ``Conflict`` for an illegal status or a second or removed shared
    plan, ``Unprocessable`` for a changed subject or a touched referral activity."""
    if not (is_shared_plan(before) and is_shared_plan(after)):
        refuse_patients(context.caller)
    if before is not None and after is not None:
        _same_subject(before, after, "CarePlan.subject")
        require_legal(CARE_PLAN, before.get("status"), after.get("status"), "CarePlan.status")
    if context.caller is not KEEPER:
        _leave_shared_plan_alone(before, after)
    if is_shared_plan(after) and after is not None:
        after = with_ids(after, "activity", before)
        if before is not None and context.caller is not KEEPER:
            refuse_own_ids(before, after, "activity")
            before = with_ids(before, "activity")
            team = team_of(before, context.related)
            hands = hands_of(context.caller, team, reference_of(before.get("subject")), context.now)
            check_ending(before, after, hands)
            after = check_plan(before, after, hands, context.related)
    return Decision(after, plan_facts(before, after), tuple(_unlinked(before, after, context)))


def _unlinked(before: Resource | None, after: Resource | None, context: DecisionContext) -> Iterable[Consequence]:
    """The links of shared plans to a plan that is deleted: they keep nobody from that."""
    if after is None and before is not None:
        gone = f"CarePlan/{before['id']}"
        for reference, plan in context.related.items():
            if is_shared_plan(plan):
                yield Consequence(reference, partial(without, source=gone))


def plans_linked_to(before: Resource | None, after: Resource | None) -> Iterable[Referring]:
    """The plans that refer to one that is deleted."""
    if after is None and before is not None and not is_shared_plan(before):
        yield Referring("CarePlan", f"CarePlan/{before['id']}")


def looked_up_for_plan(before: Resource | None, after: Resource | None) -> Iterable[str]:
    """The team of a shared plan, and the goals that come into it or leave it."""
    if before is None or after is None or not is_shared_plan(before):
        return ()
    goals = [{reference_of(each) for each in plan.get("goal") or ()} for plan in (before, after)]
    wanted = {reference_of(each) for each in before.get("careTeam") or ()} | (goals[0] ^ goals[1])
    return [each for each in wanted if each is not None and each.startswith(("CareTeam/", "Goal/"))]


def decide_care_team(before: Resource | None, after: Resource | None, context: DecisionContext) -> Decision:
    """A shared plan's team stays the team of that plan; who takes part for a discipline is theirs to say."""
    refuse_patients(context.caller)
    if context.caller is not KEEPER and plan_of_team(before) != plan_of_team(after):
        raise Conflict("A shared plan's team is made and kept with the plan.", expression=("CareTeam.identifier",))
    if before is not None and after is not None and plan_of_team(before) is not None:
        _same_subject(before, after, "CareTeam.subject")
        after = with_ids(after, "participant", before)
        if context.caller is not KEEPER:
            refuse_own_ids(before, after, "participant")
            before = with_ids(before, "participant")
            hands = hands_of(context.caller, before, reference_of(before.get("subject")), context.now)
            check_team(before, after, hands)
    return Decision(after, team_facts(before, after))


def plans_of_goal(before: Resource | None, after: Resource | None) -> Iterable[Referring]:
    """The plans that a Goal which changes belongs to."""
    if before is not None and after is not None:
        yield Referring("CarePlan", f"Goal/{after['id']}")


def teams_of_plans(before: Resource | None, after: Resource | None, related: Mapping[str, Resource]) -> Iterable[str]:
    """The teams of the shared plans that were found."""
    for plan in related.values():
        if plan["resourceType"] == "CarePlan" and is_shared_plan(plan):
            teams = (reference_of(each) for each in plan.get("careTeam") or ())
            yield from (team for team in teams if team is not None and team.startswith("CareTeam/"))


def decide_goal(before: Resource | None, after: Resource | None, context: DecisionContext) -> Decision:
    """Legal lifecycle, the same subject; a goal is changed by the discipline that it belongs to, or by all.

    A patient may say what they want to reach: a proposed goal of self-care that they express themselves."""
    if before is not None and after is not None:
        _same_subject(before, after, "Goal.subject")
        require_legal(GOAL, before.get("lifecycleStatus"), after.get("lifecycleStatus"), "Goal.lifecycleStatus")
    return Decision(check_goal(before, after, context))


def refuse_patients(caller: Caller, text: str = "Patients may read the shared record, not write it.") -> None:
    """Raises ``Forbidden`` for a patient."""
    if caller.role is Role.PATIENT:
        raise Forbidden(text)


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
