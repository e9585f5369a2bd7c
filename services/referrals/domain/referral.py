"""What makes a Task a referral, and what a referral must carry.

SDOH-CC: http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/SDOHCC-TaskForReferralManagement, BSeR:
http://hl7.org/fhir/us/bser/StructureDefinition/referral-task. Other Tasks obey the state machine only.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from services.referrals.domain.references import codings, same_target, target, type_of
from services.referrals.domain.transitions import State
from shared.errors import Issue, Unprocessable
from shared.fhir.json import Resource

FULFILL = ("http://hl7.org/fhir/CodeSystem/task-code", "fulfill")
REASON_STATUSES = frozenset({"rejected", "cancelled", "on-hold", "failed"})
CANCELLATION_REQUESTED = State("in-progress", "5.2")
OWNED_STATUSES = frozenset({"received", "accepted", "in-progress", "on-hold"})
_REQUIRED = ("focus", "for", "authoredOn", "requester")


def fulfills(task: Resource) -> bool:
    """Whether the Task asks to fulfil the request in its focus."""
    return FULFILL in codings(task.get("code"))


def is_referral(task: Resource) -> bool:
    """Whether the Task is the fulfilment of a ServiceRequest."""
    return fulfills(task) and type_of(task.get("focus")) == "ServiceRequest"


def known_as(task: Resource) -> Resource | None:
    """A draft or a referral as it was; None for what others know as something else, and never heard of as a referral.

    When such a Task becomes a referral, it is opened then."""
    return task if task["status"] == "draft" or is_referral(task) else None


def check_requirements(task: Resource, state: State, order: Resource | None, *, imported: bool) -> None:
    """Raise ``Unprocessable`` with every rule of a referral that ``task`` breaks; ``order`` is its focus, if known."""
    if fulfills(task) and not task.get("focus"):
        raise Unprocessable("A Task that asks to fulfil needs its focus.", code="required", expression=("Task.focus",))
    if not is_referral(task):
        return
    issues = (*_missing(task), *_reason(task, state), *_mismatch(task, order), *_unowned(task, state, imported))
    if issues:
        raise Unprocessable.of(issues)


def _missing(task: Resource) -> Iterator[Issue]:
    if task.get("intent") != "order":
        yield Issue("business-rule", "The intent of a referral is order.", ("Task.intent",))
    for element in _REQUIRED:
        if not task.get(element):
            yield Issue("required", "A referral needs this element.", (f"Task.{element}",))


def _reason(task: Resource, state: State) -> Iterator[Issue]:
    reason = task.get("statusReason")
    if (needs_reason(state) or reason) and not has_text(reason):
        yield Issue("required", "The reason of this status must be given as text.", ("Task.statusReason.text",))


def _mismatch(task: Resource, order: Resource | None) -> Iterator[Issue]:
    if order is not None and task.get("for") and not same_target(task["for"], order.get("subject")):
        yield Issue("business-rule", "A referral is for the subject of the order in its focus.", ("Task.for",))


def _unowned(task: Resource, state: State, imported: bool) -> Iterator[Issue]:
    if not imported and state.status in OWNED_STATUSES and not task.get("owner"):
        yield Issue("required", "A referral in this status needs an owner.", ("Task.owner",))


def needs_reason(state: State) -> bool:
    """Whether people are owed an explanation of this state."""
    return state.status in REASON_STATUSES or state == CANCELLATION_REQUESTED


def has_text(concept: Any) -> bool:
    """Whether a CodeableConcept says something in words."""
    text = concept.get("text") if isinstance(concept, Mapping) else None
    return isinstance(text, str) and bool(text.strip())


def outputs(task: Resource) -> tuple[str, ...]:
    """The references in ``Task.output``, in order."""
    found = (target(output.get("valueReference")) for output in task.get("output") or ())
    return tuple(reference for reference in found if reference)


def prioritized(task: Resource, order: Resource | None) -> Resource:
    """A referral that says no priority has that of its order: worklists and clocks go by the Task."""
    priority = (order or {}).get("priority")
    return task if priority is None or "priority" in task else task | {"priority": priority}
