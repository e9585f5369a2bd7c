"""The patient's one shared CarePlan, brought in step with the referrals (http://hl7.org/fhir/R4/careplan.html).

``apply_referrals`` is a projection: the same referrals give the same activities and participants whatever was there
before, and nothing else of the plan or the team is touched: people's activities, goals, notes and texts stay as they
are.
"""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.careplans.domain.codes import (
    ACTIVITY_DISCIPLINE,
    ACTIVITY_STATUS,
    ACTIVITY_TASK,
    OWN_ELEMENT,
    PLAN_CATEGORY_SYSTEM,
    SHARED_PLAN,
    US_CORE_CAREPLAN,
    US_CORE_CATEGORY_SYSTEM,
    followed_task,
)
from services.careplans.domain.referral import Referral
from services.careplans.domain.states import TERMINAL_PLAN
from services.careplans.domain.team import apply_to_team
from shared.fhir.json import Resource

TITLE = "Shared care plan"
OWN_EXTENSIONS = frozenset({ACTIVITY_STATUS, ACTIVITY_DISCIPLINE, ACTIVITY_TASK})


@dataclass(frozen=True, slots=True)
class PlanChange:
    """The plan and the team as they should be, and which of the two must be written."""

    plan: Resource
    team: Resource | None
    """None until the first referral is accepted: a team of nobody is no team."""
    plan_changed: bool
    team_changed: bool


def new_plan(plan_id: str, patient: str, now: datetime) -> Resource:
    """An empty draft of the shared plan. It has no clinical text: that is for people to write."""
    return {
        "resourceType": "CarePlan",
        "id": plan_id,
        "meta": {"profile": [US_CORE_CAREPLAN]},
        "status": "draft",
        "intent": "plan",
        "category": [
            {"coding": [{"system": PLAN_CATEGORY_SYSTEM, "code": SHARED_PLAN, "display": TITLE}]},
            {"coding": [{"system": US_CORE_CATEGORY_SYSTEM, "code": "assess-plan"}]},
        ],
        "title": TITLE,
        "subject": {"reference": patient},
        "created": now.isoformat(timespec="seconds"),
    }


def has_ended(plan: Resource) -> bool:
    """Whether people have closed this plan: what comes next needs a new one."""
    return plan.get("status") in TERMINAL_PLAN


def apply_referrals(
    plan: Resource | None,
    team: Resource | None,
    referrals: Sequence[Referral],
    *,
    plan_id: str,
    team_id: str,
    patient: str,
    now: datetime,
) -> PlanChange:
    """The plan and the team with all ``referrals`` of the plan in them.

    The ids are used where a plan or a team has to be made. A draft becomes active with the first acceptance; any other
    status is the people's decision and stays. A plan's activity is never removed: one that ended says so."""
    after = deepcopy(plan) if plan is not None else new_plan(plan_id, patient, now)
    team_after = apply_to_team(team, referrals, plan_id=after["id"], team_id=team_id, patient=patient)
    _apply(after, referrals)
    if after["status"] == "draft" and any(referral.accepted_at for referral in referrals):
        after["status"] = "active"
    if team_after is not None:
        _name_team(after, f"CareTeam/{team_after['id']}")
    return PlanChange(after, team_after, plan_changed=after != plan, team_changed=team_after != team)


def with_referrals(plan: Resource, referrals: Iterable[Referral]) -> Resource:
    """The plan with the activities of ``referrals`` in it; those of others stay as they are."""
    after = deepcopy(plan)
    _apply(after, referrals)
    return after


def _apply(plan: Resource, referrals: Iterable[Referral]) -> None:
    activities = plan.get("activity") or []
    # the first of two that follow one Task is ours
    following = {followed_task(activity): activity for activity in reversed(activities)}
    for referral in referrals:
        activity = following.get(referral.task)
        if activity is None:
            activity = following[referral.task] = {}
            activities.append(activity)
        _bring_in_step(activity, referral)
    if activities:
        plan["activity"] = activities


def _bring_in_step(activity: Resource, referral: Referral) -> None:
    kept = [extension for extension in activity.get("extension") or () if extension.get("url") not in OWN_EXTENSIONS]
    activity["id"] = OWN_ELEMENT + referral.task.rpartition("/")[2]
    activity["extension"] = [*_extensions(referral), *kept]
    if activity.get("reference", {}).get("reference") != referral.followed:
        activity["reference"] = {"reference": referral.followed}
    _set_or_drop(activity, "outcomeReference", _outcomes(activity.get("outcomeReference") or (), referral))


def _extensions(referral: Referral) -> list[dict[str, Any]]:
    extensions: list[dict[str, Any]] = [
        {"url": ACTIVITY_STATUS, "valueCode": referral.activity_status},
        {"url": ACTIVITY_TASK, "valueReference": {"reference": referral.task}},
    ]
    if referral.discipline:
        extensions.insert(1, {"url": ACTIVITY_DISCIPLINE, "valueCode": referral.discipline})
    return extensions


def _outcomes(present: Iterable[Resource], referral: Referral) -> list[Resource]:
    """People's own outcomes as they are, then the completed Task's outputs that are not among them."""
    own = [outcome for outcome in present if not str(outcome.get("id", "")).startswith(OWN_ELEMENT)]
    named = {outcome.get("reference") for outcome in own}
    outputs = referral.outputs if referral.status == "completed" else ()
    fresh = [output for output in dict.fromkeys(outputs) if output not in named]
    return own + [{"id": f"{OWN_ELEMENT}output-{place}", "reference": output} for place, output in enumerate(fresh, 1)]


def _name_team(plan: Resource, team: str) -> None:
    teams = plan.setdefault("careTeam", [])
    if all(entry.get("reference") != team for entry in teams):
        teams.append({"reference": team})


def _set_or_drop(element: Resource, name: str, values: list[Resource]) -> None:
    if values:
        element[name] = values
    else:
        element.pop(name, None)
