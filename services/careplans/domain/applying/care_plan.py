"""A proposal as a draft CarePlan, what ``$apply`` answers in R4 (http://hl7.org/fhir/R4/careplan.html).

Goals, the RequestGroup and its requests are contained: nothing of them is stored for itself before people accept.
"""

from services.careplans.domain.applying.proposal import ADVISORY, Proposal
from services.careplans.domain.applying.request_group import parts_of
from shared.fhir.json import Resource

GROUP = "proposal"


def care_plan(proposal: Proposal) -> Resource:
    """The draft; its only activity is the RequestGroup."""
    group, requests = parts_of(proposal)
    goals = [_goal(goal, proposal) for goal in proposal.goals]
    plan: Resource = {
        "resourceType": "CarePlan",
        "contained": [{"resourceType": "RequestGroup", "id": GROUP, **group}, *requests, *goals],
        "instantiatesCanonical": [proposal.canonical],
        "status": "draft",
        "intent": "proposal",
    }
    plan |= {name: proposal.plan[name] for name in ("title", "description") if name in proposal.plan}
    plan["subject"] = {"reference": proposal.subject}
    plan["created"] = proposal.as_of.isoformat(timespec="seconds")
    if goals:
        plan["goal"] = [{"reference": f"#{goal['id']}"} for goal in goals]
    plan["activity"] = [{"reference": {"reference": f"#{GROUP}"}}]
    plan["note"] = [{"text": text} for text in (ADVISORY, *proposal.notes)]
    return plan


def _goal(goal: Resource, proposal: Proposal) -> Resource:
    """http://hl7.org/fhir/R4/goal.html: proposed, for the patient to accept."""
    number = next(place for place, each in enumerate(proposal.goals, 1) if each is goal)
    proposed: Resource = {
        "resourceType": "Goal",
        "id": f"goal-{number}",
        "lifecycleStatus": "proposed",
        "description": goal.get("description") or {"text": "Goal"},
        "subject": {"reference": proposal.subject},
    }
    if "priority" in goal:
        proposed["priority"] = goal["priority"]
    if "target" in goal:
        proposed["target"] = [_target(target) for target in goal["target"]]
    if "category" in goal:
        proposed["category"] = [goal["category"]]
    if "start" in goal:
        proposed["startCodeableConcept"] = goal["start"]
    return proposed


def _target(target: Resource) -> Resource:
    """``due`` of a plan is ``dueDuration`` of a goal; a detail needs its measure there (gol-1)."""
    kept = {name: value for name, value in target.items() if "measure" in target or not name.startswith("detail")}
    return {"dueDuration" if name == "due" else name: value for name, value in kept.items()}
