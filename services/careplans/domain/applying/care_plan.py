"""A proposal as a draft CarePlan, what ``$apply`` answers in R4 (http://hl7.org/fhir/R4/careplan.html).

Goals, the RequestGroup and its requests are contained: nothing of them is stored for itself before people accept.
"""

from services.careplans.domain.applying.goals import drafted_goals
from services.careplans.domain.applying.proposal import ADVISORY, Proposal
from services.careplans.domain.applying.request_group import parts_of
from shared.fhir.json import Resource

GROUP = "proposal"


def care_plan(proposal: Proposal) -> Resource:
    """The draft; its only activity is the RequestGroup."""
    drafted = drafted_goals(proposal)
    group, requests = parts_of(proposal, {id_: f"#{goal['id']}" for id_, goal in drafted.items()})
    goals = list(drafted.values())
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
