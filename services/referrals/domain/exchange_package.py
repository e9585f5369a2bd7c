"""What of a referral is sent to another system: the order and the Task, as little of the patient as will do.

SDOH-CC, direct referral: http://hl7.org/fhir/us/sdoh-clinicalcare/referral_workflow.html. Both carry an identifier of
the placer, by which the other side knows them when they come again (http://hl7.org/fhir/R4/http.html#ccreate).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.referrals.domain.exchange_references import translated
from services.referrals.domain.moving import moved
from services.referrals.domain.references import target
from services.referrals.domain.referral import needs_reason
from services.referrals.domain.states import state_of
from services.referrals.domain.transitions import State
from shared.fhir.json import Resource

TASK_CONTENT = ("priority", "description", "reasonCode")
"""What of a Task is the initiator's, and may change after it was sent."""
ORDER_CONTENT = (
    "intent category priority doNotPerform code orderDetail occurrenceDateTime occurrencePeriod occurrenceTiming "
    "authoredOn performerType reasonCode bodySite patientInstruction"
).split()
_TASK = ("intent", "code", "authoredOn", "businessStatus", *TASK_CONTENT)
_PLACER = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "PLAC"}]}
_KNOWN_BY = ("identifier", "name", "birthDate", "gender")
"""By which a patient is recognised who has no identifier, or whose identifier means nothing to the other side."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What both sides know of each other."""

    base: str
    """Our FHIR base, without a slash at its end."""
    partner: str
    """Theirs."""
    requester: str | None = None
    """The reference (``Organization/x``, of theirs) by which they know us."""
    recipient: str | None = None
    """The reference, of theirs, of whoever gets what is sent there."""
    contains_patient: bool = False
    """Whether a minimal Patient is sent along, instead of an identifier alone."""


@dataclass(frozen=True, slots=True)
class Source:
    """What a referral is made of here; ``related`` by reference, as far as it is known."""

    task: Resource
    order: Resource | None
    related: Mapping[str, Resource] = field(default_factory=dict)


def placer(type_: str, id_: str, base: str) -> Resource:
    """The identifier under which a resource of ours is known elsewhere."""
    return {"type": _PLACER, "system": f"{base}/{type_}", "value": id_}


def needed(task: Resource, order: Resource | None) -> frozenset[str]:
    """What must be looked at to send the two: who asks, who is asked, and for whom."""
    elements = (task.get("for"), task.get("requester"), task.get("owner"), (order or {}).get("requester"))
    return frozenset(reference for each in elements if (reference := target(each)) is not None)


def order_to_send(source: Source, terms: Terms) -> Resource | None:
    """The ServiceRequest as it is created on the other side; None where the focus of the Task is not known here."""
    order = source.order
    if order is None:
        return None
    sent = _begun(order, terms) | {element: order[element] for element in ORDER_CONTENT if element in order}
    sent["status"] = "active" if order["status"] in ("draft", "active") else order["status"]
    sent["requester"] = _party(order.get("requester"), source, terms.requester, terms)
    return _translated(_with_patient(sent, "subject", order.get("subject"), source, terms), terms)


def task_to_send(source: Source, order: str | None, state: State, terms: Terms) -> Resource:
    """The Task as it is created on the other side in ``state``, where its order is the reference ``order``."""
    task = source.task
    sent = _begun(task, terms) | {element: task[element] for element in _TASK if element in task}
    sent["status"] = task["status"]
    sent = moved(sent, state)
    sent["requester"] = _party(task.get("requester"), source, terms.requester, terms)
    sent["owner"] = _party(task.get("owner"), source, terms.recipient, terms)
    sent = _translated(_with_patient(sent, "for", task.get("for"), source, terms), terms)
    return sent if order is None else sent | {"focus": {"reference": order}}


def order_with_news(there: Resource, source: Source, terms: Terms) -> Resource:
    """The order on the other side with what is the requester's as it is here; its status follows the Task."""
    sent = order_to_send(source, terms) or {}
    return _replaced(there, sent, ORDER_CONTENT)


def task_with_news(there: Resource, source: Source, terms: Terms, goal: State | None) -> Resource:
    """The Task on the other side with what is the initiator's as it is here, after their step to ``goal``."""
    ours = _translated({element: source.task[element] for element in TASK_CONTENT if element in source.task}, terms)
    changed = _replaced(there, ours, TASK_CONTENT)
    notes = notes_of_both(there, {"note": translated(source.task.get("note"), terms.base, terms.partner)})
    if notes:
        changed["note"] = notes
    return changed if goal is None else moved(changed, goal, reason_for(source.task))


def reason_for(task: Resource) -> str | None:
    """Why the initiator takes a referral back, in words."""
    text = (task.get("statusReason") or {}).get("text")
    return text if text else ("Withdrawn by the requester." if needs_reason(state_of(task)) else None)


def notes_of_both(first: Resource, second: Resource) -> list[Resource]:
    """The notes of two versions; what both have once, as often as the one that has it more often."""
    found = list(first.get("note") or ())
    known = list(found)
    for note in second.get("note") or ():
        if note in known:
            known.remove(note)
        else:
            found.append(note)
    return found


def _replaced(there: Resource, ours: Resource, elements: Iterable[str]) -> Resource:
    kept = {element: value for element, value in there.items() if element not in elements}
    return kept | {element: ours[element] for element in elements if element in ours}


def _begun(resource: Resource, terms: Terms) -> Resource:
    profiles = (resource.get("meta") or {}).get("profile")
    claimed = {"meta": {"profile": profiles}} if profiles else {}
    type_ = resource["resourceType"]
    return {"resourceType": type_, **claimed, "identifier": [placer(type_, resource["id"], terms.base)]}


def _translated(resource: Resource, terms: Terms) -> Resource:
    """With references that hold there, and without what was left empty."""
    theirs = {element: value for element, value in resource.items() if value is not None}
    own = {"requester", "owner"}
    return {
        element: value if element in own else translated(value, terms.base, terms.partner)
        for element, value in theirs.items()
    }


def _party(element: Any, source: Source, known_as: str | None, terms: Terms) -> Resource | None:
    """Who asks, or is asked: as the other side knows them, else by an identifier."""
    if known_as is not None:
        return {"reference": known_as}
    return _logical(element, source, terms)


def _logical(element: Any, source: Source, terms: Terms) -> Resource | None:
    reference = target(element)
    if reference is None:
        return element if element and "identifier" in element else None
    type_, _, id_ = reference.partition("/")
    return {"type": type_, "identifier": _identifier(source.related.get(reference)) or placer(type_, id_, terms.base)}


def _identifier(resource: Resource | None) -> Resource | None:
    """The identifier by which others most likely know it."""
    known = [each for each in (resource or {}).get("identifier") or () if each.get("system") and each.get("value")]
    ranked = sorted(known, key=lambda each: each.get("use") != "official")
    return {key: ranked[0][key] for key in ("type", "system", "value") if key in ranked[0]} if ranked else None


def _with_patient(sent: Resource, element: str, patient: Any, source: Source, terms: Terms) -> Resource:
    contained = _contained(source.related.get(target(patient) or ""))
    known = _identifier(source.related.get(target(patient) or "")) is not None
    if contained is not None and (terms.contains_patient or not known):
        return sent | {"contained": [contained], element: {"reference": f"#{contained['id']}"}}
    return sent | {element: _logical(patient, source, terms)}


def _contained(patient: Resource | None) -> Resource | None:
    if patient is None or patient["resourceType"] != "Patient":
        return None
    told = {key: patient[key] for key in _KNOWN_BY if key in patient}
    return {"resourceType": "Patient", "id": "patient", **told} if told else None
