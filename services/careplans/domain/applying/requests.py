"""The draft request that a proposed action becomes; contained, so that nothing stands by itself before people agree.

http://hl7.org/fhir/R4/servicerequest.html, http://hl7.org/fhir/R4/medicationrequest.html, http://hl7.org/fhir/R4/task.html
"""

from typing import Any

from services.careplans.domain.applying.classes import codings
from services.careplans.domain.applying.definitions import canonical
from services.careplans.domain.applying.proposal import Considered, Proposal
from services.careplans.domain.codes import DISCIPLINE_SYSTEM
from shared.fhir.json import Resource

REASONS = frozenset({"Condition", "Observation"})
"""What ``reasonReference`` may lead to, of what conditions are judged by."""


def request_of(action: Considered, proposal: Proposal, id_: str) -> Resource:
    """A draft with the intent of a proposal. What is neither a service nor a medication is a Task."""
    definition = action.definition or {}
    kind = definition.get("kind")
    request: Resource = {"resourceType": kind, "id": id_, "status": "draft", "intent": "proposal"}
    if kind == "ServiceRequest":
        request |= {
            "code": definition.get("code") or {"text": action.title},
            "subject": {"reference": proposal.subject},
        }
    elif kind == "MedicationRequest":
        request |= _medication(definition, action) | {"subject": {"reference": proposal.subject}}
    else:
        return _task(action, proposal, id_)
    if definition:
        request["instantiatesCanonical"] = [canonical(definition)]
    if definition.get("doNotPerform") is True:
        request["doNotPerform"] = True
    if "priority" in action.action:
        request["priority"] = action.action["priority"]
    if discipline := discipline_of(definition):
        request["performerType"] = discipline
    request["authoredOn"] = proposal.as_of.isoformat(timespec="seconds")
    request["reasonCode"] = [{"text": action.reason}]
    if references := _reasons(action):
        request["reasonReference"] = [{"reference": reference} for reference in references]
    if usage := definition.get("usage"):
        request["note"] = [{"text": usage}]
    return request


def _medication(definition: Resource, action: Considered) -> Resource:
    if "productReference" in definition:
        return {"medicationReference": definition["productReference"]}
    return {"medicationCodeableConcept": definition.get("productCodeableConcept") or {"text": action.title}}


def _task(action: Considered, proposal: Proposal, id_: str) -> Resource:
    task: Resource = {
        "resourceType": "Task",
        "id": id_,
        "status": "draft",
        "intent": "proposal",
        "description": action.title,
        "for": {"reference": proposal.subject},
        "authoredOn": proposal.as_of.isoformat(timespec="seconds"),
        "reasonCode": {"text": action.reason},
    }
    if action.definition is not None:
        task["instantiatesCanonical"] = canonical(action.definition)
        if discipline := discipline_of(action.definition):
            task["performerType"] = [discipline]
    return task


def discipline_of(definition: Resource) -> Resource | None:
    """The topic of a definition that names a discipline: who performs it."""
    topics = definition.get("topic") or ()
    return next((each for each in topics if any(system == DISCIPLINE_SYSTEM for system, _ in codings(each))), None)


def _reasons(action: Considered) -> list[str]:
    """The resources that speak for the action, each once."""
    read: list[Any] = [
        reference
        for judged in (*action.inherited, *action.conditions)
        for entry in judged.inputs
        if entry.value is not None and entry.value is not False
        for reference in entry.references
    ]
    return [each for each in dict.fromkeys(read) if each.partition("/")[0] in REASONS]
