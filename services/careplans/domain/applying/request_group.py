"""A proposal as a draft RequestGroup (http://hl7.org/fhir/R4/requestgroup.html)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from services.careplans.domain.applying.accounts import accounts
from services.careplans.domain.applying.classes import codings
from services.careplans.domain.applying.extensions import SERVES
from services.careplans.domain.applying.goals import drafted_goals
from services.careplans.domain.applying.proposal import ADVISORY, Considered, Proposal
from services.careplans.domain.applying.requests import request_of
from shared.fhir.json import Resource

KEPT = (
    *("prefix", "description", "priority", "type", "groupingBehavior", "selectionBehavior", "requiredBehavior"),
    *("precheckBehavior", "cardinalityBehavior"),
    *("timingDateTime", "timingAge", "timingPeriod", "timingDuration", "timingRange", "timingTiming"),
)
"""Elements that ``RequestGroup.action`` has as ``PlanDefinition.action`` has them."""
RELATED = ("actionId", "relationship", "offsetDuration", "offsetRange")


def request_group(proposal: Proposal) -> Resource:
    """A draft with what is proposed as contained requests, with the goals that it serves, and an account of every
    action of the plan.

    ``action.textEquivalent`` says why; ``action.documentation`` cites the sources."""
    goals = drafted_goals(proposal)
    group, requests = parts_of(proposal, {id_: f"#{goal['id']}" for id_, goal in goals.items()})
    contained = [*requests, *goals.values()]
    return {"resourceType": "RequestGroup", **({"contained": contained} if contained else {}), **group}


def single_request(proposal: Proposal) -> Resource:
    """The request of a proposal that has one action, with the account of it; of one that is not proposed, the
    RequestGroup that says why: it asks for nothing."""
    (considered,) = proposal.actions
    if not considered.proposed:
        return request_group(proposal)
    request = request_of(considered, proposal, "")
    del request["id"]
    return request | {"extension": list(accounts(proposal))}


def parts_of(proposal: Proposal, goals: Mapping[str, str]) -> tuple[Resource, list[Resource]]:
    """The elements of the RequestGroup, and the requests that it refers to as contained.

    ``goals`` are the references of goals by the id that the plan knows them by."""
    writing = _Writing(proposal, frozenset(each.id for each in proposal.all() if each.proposed), goals)
    actions = list(writing.actions(proposal.actions))
    group: Resource = {
        "extension": list(accounts(proposal)),
        "instantiatesCanonical": [proposal.canonical],
        "status": "draft",
        "intent": "proposal",
        "subject": {"reference": proposal.subject},
        "authoredOn": proposal.as_of.isoformat(timespec="seconds"),
        "note": [{"text": text} for text in (ADVISORY, *proposal.notes)],
    }
    if title := proposal.plan.get("title"):
        group["code"] = {"text": title}
    if actions:
        group["action"] = actions
    return group, writing.requests


@dataclass(slots=True)
class _Writing:
    proposal: Proposal
    proposed: frozenset[str]
    goals: Mapping[str, str]
    requests: list[Resource] = field(default_factory=list)

    def actions(self, considered: Iterable[Considered]) -> Iterator[Resource]:
        return (self._action(each) for each in considered if each.proposed)

    def _action(self, considered: Considered) -> Resource:
        source = considered.action
        action: Resource = {"id": considered.id, "title": considered.title}
        if served := [self.goals[goal] for goal in source.get("goalId") or () if goal in self.goals]:
            action["extension"] = [{"url": SERVES, "valueReference": {"reference": goal}} for goal in served]
        action |= {name: source[name] for name in KEPT if name in source}
        action["textEquivalent"] = " ".join(filter(None, (source.get("textEquivalent"), considered.reason)))
        if considered.definition is not None and any(codings(considered.definition.get("code"))):
            action["code"] = [considered.definition["code"]]
        if documentation := _documentation(considered):
            action["documentation"] = documentation
        if later := [each for each in source.get("condition") or () if each.get("kind") in ("start", "stop")]:
            action["condition"] = later
        related = [each for each in source.get("relatedAction") or () if each.get("actionId") in self.proposed]
        if related:
            action["relatedAction"] = [{name: each[name] for name in RELATED if name in each} for each in related]
        self._fill(action, considered)
        return action

    def _fill(self, action: Resource, considered: Considered) -> None:
        """``resource`` or ``action``, one of them (rqg-1); what has both is the first of its own parts."""
        parts = list(self.actions(considered.children))
        if not parts:
            action["resource"] = self._request(considered)
            return
        if considered.definition is not None:
            itself = {"id": considered.itself, "title": considered.title, "resource": self._request(considered)}
            parts.insert(0, itself)
        action["action"] = parts

    def _request(self, considered: Considered) -> Resource:
        id_ = f"request-{len(self.requests) + 1}"
        self.requests.append(request_of(considered, self.proposal, id_))
        return {"reference": f"#{id_}"}


def _documentation(considered: Considered) -> list[Resource]:
    """The sources of the action, then those of its definition, each once."""
    of_definition = (considered.definition or {}).get("relatedArtifact") or ()
    found: list[Resource] = []
    for artifact in (*(considered.action.get("documentation") or ()), *of_definition):
        if artifact not in found:
            found.append(artifact)
    return found
