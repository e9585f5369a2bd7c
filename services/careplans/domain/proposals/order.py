"""The order by which another discipline is asked: ServiceRequest and Task, made of a decision that was recorded.

The same decision gives the same two resources under the same ids, so that sending them twice makes one referral.
http://hl7.org/fhir/us/sdoh-clinicalcare/referral_workflow.html
"""

from uuid import NAMESPACE_URL, uuid5

from services.careplans.domain.proposals.offered import Offered
from services.careplans.domain.proposals.recorded import Recorded
from shared.fhir.json import Resource

_NAMESPACE = uuid5(NAMESPACE_URL, "https://consilium.care/fhir/proposal")
_FULFILL = {"system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "fulfill"}


def id_of(proposal: str, action: str, type_: str) -> str:
    """The id of what ``action`` of the proposal (``RequestGroup/x``) becomes."""
    return str(uuid5(_NAMESPACE, f"{proposal}/{action}/{type_}"))


def order_of(offered: Offered, recorded: Recorded, proposal: str, plan: str) -> tuple[Resource, Resource]:
    """The ServiceRequest and the Task of a decision with a ``task``; ``proposal`` and ``plan`` are references."""
    request = offered.request
    patient = request.get("subject") or request["for"]
    order: Resource = {
        "resourceType": "ServiceRequest",
        "id": (recorded.service_request or "").partition("/")[2],
        "basedOn": [{"reference": plan}],
        "status": "active",
        "intent": "order",
        "code": _code(offered),
        "subject": patient,
        "authoredOn": recorded.at,
        "requester": recorded.by,
        "reasonCode": [{"text": offered.reason}],
    }
    if offered.definition is not None:
        order["instantiatesCanonical"] = [offered.definition]
    for name in ("performerType", "reasonReference", "doNotPerform"):
        if name in request:
            order[name] = request[name]
    notes = [*(request.get("note") or ()), *({"text": text} for text in (recorded.description,) if text)]
    if notes:
        order["note"] = notes
    task: Resource = {
        "resourceType": "Task",
        "id": (recorded.task or "").partition("/")[2],
        "basedOn": [{"reference": proposal}],
        "status": "requested",
        "intent": "order",
        "code": {"coding": [_FULFILL]},
        "focus": {"reference": recorded.service_request},
        "for": patient,
        "authoredOn": recorded.at,
        "requester": recorded.by,
    }
    for resource in (order, task):
        if recorded.priority is not None:
            resource["priority"] = recorded.priority
    if recorded.owner is not None:
        order["performer"], task["owner"] = [recorded.owner], recorded.owner
    return order, task


def _code(offered: Offered) -> Resource:
    """What is asked for; a medicine is for the prescriber to consider."""
    if offered.request["resourceType"] == "MedicationRequest":
        return {"text": f"To consider: {offered.title}"}
    code: Resource = offered.request.get("code") or {"text": offered.title}
    return code
