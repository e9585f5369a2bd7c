"""Goals of a proposal (http://hl7.org/fhir/R4/goal.html): proposed, for the patient to accept."""

from services.careplans.domain.applying.proposal import Proposal
from shared.fhir.json import Resource


def drafted_goals(proposal: Proposal) -> dict[str, Resource]:
    """By the id that the plan knows them by; their own ids are ``goal-1``, ``goal-2`` ..."""
    return {
        str(goal["id"]): _goal(goal, proposal.subject, f"goal-{number}")
        for number, goal in enumerate(proposal.goals, 1)
    }


def _goal(goal: Resource, subject: str, id_: str) -> Resource:
    proposed: Resource = {
        "resourceType": "Goal",
        "id": id_,
        "lifecycleStatus": "proposed",
        "description": goal.get("description") or {"text": "Goal"},
        "subject": {"reference": subject},
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
