"""The Composition of a care plan's hand-over (http://hl7.org/fhir/R4/composition.html): pure."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from services.gateway.documents.assembling import absolute
from services.gateway.documents.telling import line, narrative
from services.gateway.records import Found, Key
from shared.clock import instant
from shared.fhir.json import Resource, loads
from shared.fhir.search.params.reference import local

_LOINC = "http://loinc.org"
_SECTIONS = (
    ("Plan", "18776-5", "Plan of care note", ("CarePlan",)),
    ("Goals", "61146-7", "Goals Narrative", ("Goal",)),
    ("Care team", "85847-2", "Patient Care team information", ("CareTeam",)),
    ("Conditions", "11450-4", "Problem list - Reported", ("Condition",)),
    ("Medications", "10160-0", "History of Medication use Narrative", ("MedicationRequest", "MedicationStatement")),
    ("Referrals", "57133-1", "Referral note", ("ServiceRequest", "Task")),
    ("Measures", "30954-2", "Relevant diagnostic tests/laboratory data Narrative", ("Observation",)),
)
"""Title, LOINC code and its name, types."""
_AUTHORS = frozenset({"Practitioner", "PractitionerRole", "Device", "Patient", "RelatedPerson", "Organization"})
"""http://hl7.org/fhir/R4/composition-definitions.html#Composition.author"""


def hand_over(plan: Key, found: Collection[Found], *, base: str, at: datetime) -> Resource:
    """The Composition of the document about ``plan``, which is one of ``found``; it refers by URLs below ``base``."""
    known = {each.key: loads(each.resource) for each in found}
    made: dict[str, Any] = {
        "resourceType": "Composition",
        "status": "final",
        "type": {"coding": [{"system": _LOINC, "code": "18776-5", "display": "Plan of care note"}]},
        "subject": known[plan]["subject"],
        "date": instant(at),
        "author": [_author(known[plan], known)],
        "title": "Care plan hand-over",
        "section": [
            _section(title, code, display, sorted(key for key in known if _belongs(key, plan, types)), known)
            for title, code, display, types in _SECTIONS
        ],
    }
    return absolute(made, base)


def _belongs(key: Key, plan: Key, types: tuple[str, ...]) -> bool:
    """Another plan that the plan names is in the document, and in no section."""
    return key[0] in types and (key[0] != "CarePlan" or key == plan)


def _section(title: str, code: str, display: str, keys: list[Key], known: dict[Key, Resource]) -> Resource:
    told: dict[str, Any] = {
        "title": title,
        "code": {"coding": [{"system": _LOINC, "code": code, "display": display}]},
        "text": narrative(line(known[key], known) for key in keys),
    }
    if keys:
        told["entry"] = [{"reference": f"{type_}/{id_}"} for type_, id_ in keys]
    return told


def _author(plan: Resource, known: dict[Key, Resource]) -> Resource:
    """The plan's author where a Composition can have such a one; else this software, by name."""
    author = plan.get("author", {})
    target = local(author.get("reference", ""))
    if target in known and target is not None and target[0] in _AUTHORS:
        return {"reference": f"{target[0]}/{target[1]}"}
    return {"display": "Consilium"}
