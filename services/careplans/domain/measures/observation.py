"""A score as an Observation (US Core 7.0.0 screening and assessment; http://hl7.org/fhir/R4/observation.html)."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from services.careplans.domain.measures.measure import LOCAL_ITEMS, UCUM, Code, Item
from services.careplans.domain.measures.scoring import Score
from services.careplans.domain.measures.units import as_decimal
from shared.clock import instant
from shared.fhir.json import Resource

PROFILE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-observation-screening-assessment"
BANDS = "https://consilium.care/fhir/CodeSystem/outcome-measure-band"
ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
SURVEY = {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "survey", "display": "Survey"}
_PERFORMERS = ("Practitioner", "PractitionerRole", "Organization", "CareTeam", "Patient", "RelatedPerson")
OURS = frozenset(
    """
    status category code subject basedOn encounter effectiveDateTime performer valueQuantity dataAbsentReason
    interpretation note derivedFrom component
    """.split()
)
"""The elements that the response decides; others are left to people."""
_LITERAL = re.compile(
    r"(?:.*/)?(?P<type>[A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?"
).fullmatch
FINAL = frozenset({"final", "amended", "corrected"})
"""Statuses of scores that count."""


def observation(score: Score, response: Resource, response_id: str, now: datetime) -> Resource:
    """The Observation of ``score``, final. ``now``: when it is made."""
    made: Resource = {
        "resourceType": "Observation",
        "meta": {"profile": [PROFILE], **_security(response)},
        "status": "final",
        "category": [{"coding": [SURVEY]}],
        "code": _concept(score.measure.coding, score.measure.title),
        "subject": copied(response["subject"]),
    }
    if orders := [copied(order) for order in response.get("basedOn") or () if _can_move(order)]:
        made["basedOn"] = orders
    if _can_move(response.get("encounter")):
        made["encounter"] = copied(response["encounter"])
    if "authored" in response:
        made["effectiveDateTime"] = response["authored"]
    made["issued"] = instant(now)
    performers = [copied(response[name]) for name in ("author", "source") if _may_perform(response.get(name))]
    if performers:
        made["performer"] = performers[:1]
    made |= _value(score)
    made["derivedFrom"] = [{"reference": f"QuestionnaireResponse/{response_id}"}]
    components = [_without_value(item, "unknown") for item in score.missing]
    components += [_without_value(item, "error") for item in score.unreadable]
    if components:
        made["component"] = components
    return made


def renewed(stored: Resource, made: Resource, status: str) -> Resource | None:
    """``stored`` after its response changed: what ``made`` says, and what people added; None where it may stay.

    ``status`` is the response's."""
    kept = {key: value for key, value in stored.items() if key not in OURS}
    new = kept | {key: value for key, value in made.items() if key in OURS}
    labels = stored["meta"].get("security") or []
    # labels are not taken off: what was restricted stays so until people say otherwise
    labels = labels + [label for label in made["meta"].get("security") or () if label not in labels]
    new["meta"] = stored["meta"] | ({"security": labels} if labels else {})
    same = new | {"status": stored["status"]} == stored
    new["status"] = _status(stored["status"], status, same)
    return None if new == stored else new | {"issued": made["issued"]}


def _status(stored: str, response: str, same: bool) -> str:
    match response:
        case "in-progress":
            return "preliminary"
        case "stopped":
            return "cancelled"
        case "completed" if stored in ("registered", "preliminary"):
            return "final"
        case _ if same and stored in FINAL:
            return stored
        case _:
            return "amended"


def withdrawn(stored: Resource, now: datetime, *, orphaned: bool = False) -> Resource | None:
    """``stored`` as a mistake; ``orphaned`` of a response that is deleted. None where it may stay."""
    mistaken = stored | {"status": "entered-in-error"}
    if orphaned:
        mistaken.pop("derivedFrom", None)
    return None if mistaken == stored else mistaken | {"issued": instant(now)}


def _value(score: Score) -> Resource:
    if score.value is None:
        reason = "error" if score.unreadable or score.stated else "unknown"
        return {"dataAbsentReason": {"coding": [{"system": ABSENT, "code": reason}], "text": _why(score)}}
    unit = score.measure.unit
    quantity = {"value": as_decimal(score.value), "unit": unit, "system": UCUM, "code": unit}
    found: Resource = {"valueQuantity": quantity}
    band = score.measure.band(score.value)
    if band is not None:
        found["interpretation"] = [{"coding": [{"system": BANDS, "code": band}], "text": band.replace("-", " ")}]
    if score.prorated:
        found["note"] = [{"text": f"Prorated. {_why(score)}"}]
    elif score.stated:
        found["note"] = [{"text": "The total that the response states; it has no answers to make it from."}]
    return found


def _why(score: Score) -> str:
    if score.stated:
        return "The total that the response states is no score of this measure."
    parts = [("Not answered", score.missing), ("Answers not understood", score.unreadable)]
    return " ".join(f"{text}: {_names(items)}." for text, items in parts if items)


def _names(items: Iterable[Item]) -> str:
    return ", ".join(item.link for item in items)


def _without_value(item: Item, reason: str) -> Resource:
    verified = next((code for code in item.codes if code.verified), Code(LOCAL_ITEMS, item.link))
    return {
        "code": _concept(verified, item.link),
        "dataAbsentReason": {"coding": [{"system": ABSENT, "code": reason}]},
    }


def _concept(code: Code, text: str) -> Resource:
    return {"coding": [{"system": code.system, "code": code.code}], "text": text}


def _security(response: Resource) -> Resource:
    labels = (response.get("meta") or {}).get("security")
    return {"security": labels} if labels else {}


def of_patient(response: Resource) -> bool:
    """Whether the response is about a patient, and says so in a way that another resource can repeat."""
    subject = response.get("subject")
    return isinstance(subject, dict) and _can_move(subject) and target_type(subject) == "Patient"


def target_type(reference: Resource) -> str | None:
    """The type that a Reference points to, as far as it says."""
    literal = reference.get("reference")
    if isinstance(literal, str) and (found := _LITERAL(literal)):
        return found["type"]
    stated = reference.get("type")
    return stated if isinstance(stated, str) else None


def copied(reference: Resource) -> Resource:
    """A Reference for another resource, without what may point into the first (``#``)."""
    moved: Resource = {key: reference[key] for key in ("reference", "type", "display") if key in reference}
    identifier = reference.get("identifier")
    if isinstance(identifier, dict):
        moved["identifier"] = {key: identifier[key] for key in ("use", "type", "system", "value") if key in identifier}
    return moved


def _can_move(reference: Any) -> bool:
    """Whether it is a Reference that does not point to what is contained."""
    return isinstance(reference, dict) and not str(reference.get("reference", "")).startswith("#")


def _may_perform(reference: Any) -> bool:
    return _can_move(reference) and target_type(reference) in _PERFORMERS
