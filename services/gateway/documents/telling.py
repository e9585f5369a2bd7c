"""Narrative of what a hand-over holds: one escaped line per resource, the same for the same resource
(http://hl7.org/fhir/R4/narrative.html)."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from html import escape
from typing import Any

from services.gateway.records import Key
from shared.fhir.json import Resource
from shared.fhir.search.params.reference import local

NONE = "None is recorded."
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_UNNAMED = "Without a name"

Known = Mapping[Key, Resource]


def narrative(lines: Iterable[str]) -> Resource:
    """A generated Narrative: the ``lines`` as a list, or that there are none."""
    items = "".join(f"<li>{_escaped(line)}</li>" for line in lines)
    content = f"<ul>{items}</ul>" if items else f"<p>{NONE}</p>"
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{content}</div>'}


def line(resource: Resource, known: Known) -> str:
    """What a reader needs to know of ``resource``; names are looked up in ``known``."""
    told = _TOLD.get(resource["resourceType"], _of_other)
    return "; ".join(part for part in told(resource, known) if part)


def _escaped(text: str) -> str:
    return escape(_NO_XML.sub(" ", text))


def _words(concept: Any) -> str:
    """A CodeableConcept in words."""
    concept = concept or {}
    codings = concept.get("coding", ())
    found = [concept.get("text"), *(each.get("display") for each in codings), *(each.get("code") for each in codings)]
    return next((words for words in found if words), "")


def _name(reference: Any, known: Known) -> str:
    """Whom or what a Reference names."""
    reference = reference or {}
    target = local(reference.get("reference", ""))
    resource = known.get(target) if target else None
    if resource is None:
        return str(reference.get("display", ""))
    names = resource.get("name") or [{}]
    if isinstance(names, str):
        return names
    first = names[0] if isinstance(names, list) else names
    whole = first.get("text") or " ".join([*first.get("given", ()), *([first["family"]] if "family" in first else ())])
    if not whole and resource["resourceType"] == "PractitionerRole":
        parts = (_name(resource.get(part), known) for part in ("practitioner", "organization"))
        whole = ", ".join(part for part in parts if part)
    return whole or _words(resource.get("code")) or str(reference.get("display", _UNNAMED))


def _labelled(label: str, words: str) -> str:
    return f"{label}: {words}" if words else ""


def _of_plan(plan: Resource, known: Known) -> Iterator[str]:
    period = plan.get("period", {})
    yield plan.get("title") or next(filter(None, map(_words, plan.get("category", ()))), "Care plan")
    yield _labelled("status", plan["status"])
    yield _labelled("from", period.get("start", ""))
    yield _labelled("to", period.get("end", ""))
    yield plan.get("description", "")
    for activity in plan.get("activity", ()):
        detail = activity.get("detail", {})
        if words := _words(detail.get("code")) or detail.get("description", ""):
            yield _labelled("activity", f"{words} ({detail['status']})")


def _of_goal(goal: Resource, known: Known) -> Iterator[str]:
    yield _words(goal.get("description"))
    yield _labelled("status", goal["lifecycleStatus"])
    yield _labelled("achievement", _words(goal.get("achievementStatus")))
    for target in goal.get("target", ()):
        wanted = target.get("detailString") or _quantity(target.get("detailQuantity"))
        parts = (_words(target.get("measure")), wanted, target.get("dueDate", ""))
        yield _labelled("target", " ".join(part for part in parts if part))


def _of_team(team: Resource, known: Known) -> Iterator[str]:
    yield team.get("name", "Care team")
    for participant in team.get("participant", ()):
        roles = ", ".join(filter(None, map(_words, participant.get("role", ()))))
        yield f"{_name(participant.get('member'), known) or _UNNAMED}{f' ({roles})' if roles else ''}"


def _of_condition(condition: Resource, known: Known) -> Iterator[str]:
    yield _words(condition.get("code")) or _UNNAMED
    yield _labelled("status", _words(condition.get("clinicalStatus")))
    yield _labelled("since", condition.get("onsetDateTime", ""))


def _of_medication(resource: Resource, known: Known) -> Iterator[str]:
    medication = _words(resource.get("medicationCodeableConcept")) or _name(resource.get("medicationReference"), known)
    yield medication or _UNNAMED
    yield _labelled("status", resource["status"])
    for dosage in resource.get("dosageInstruction") or resource.get("dosage") or ():
        yield dosage.get("text", "")


def _of_order(order: Resource, known: Known) -> Iterator[str]:
    yield _words(order.get("code")) or "Order"
    yield _labelled("status", order["status"])
    yield _labelled("by", _name(order.get("requester"), known))
    yield _labelled("for", ", ".join(filter(None, (_name(each, known) for each in order.get("performer", ())))))


def _of_task(task: Resource, known: Known) -> Iterator[str]:
    yield _labelled("Task", task.get("description") or _words(task.get("code")))
    yield _labelled("status", task["status"])
    yield _labelled("business status", _words(task.get("businessStatus")))
    yield _labelled("owner", _name(task.get("owner"), known))


def _of_observation(observation: Resource, known: Known) -> Iterator[str]:
    value = _quantity(observation.get("valueQuantity")) or observation.get("valueString", "")
    value = value or _words(observation.get("valueCodeableConcept")) or str(observation.get("valueInteger", ""))
    yield f"{_words(observation.get('code'))}{f' {value}' if value else ''}"
    yield observation.get("effectiveDateTime", "")


def _of_other(resource: Resource, known: Known) -> Iterator[str]:
    yield resource["resourceType"]
    code = resource.get("code")
    yield _words(code) if isinstance(code, dict) else ""


def _quantity(quantity: Any) -> str:
    quantity = quantity or {}
    parts = (quantity.get("comparator", ""), quantity.get("value", ""), quantity.get("unit", quantity.get("code", "")))
    return " ".join(str(part) for part in parts if part != "")


_TOLD: Mapping[str, Callable[[Resource, Known], Iterator[str]]] = {
    "CarePlan": _of_plan,
    "Goal": _of_goal,
    "CareTeam": _of_team,
    "Condition": _of_condition,
    "MedicationRequest": _of_medication,
    "MedicationStatement": _of_medication,
    "ServiceRequest": _of_order,
    "Task": _of_task,
    "Observation": _of_observation,
}
