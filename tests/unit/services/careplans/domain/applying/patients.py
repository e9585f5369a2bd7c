"""Records as tests need them."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from services.careplans.catalogue.definitions import definitions
from services.careplans.catalogue.reading import catalogue
from services.careplans.domain.applying.apply import apply
from services.careplans.domain.applying.circumstances import Circumstances
from services.careplans.domain.applying.classes import ICD10CM
from services.careplans.domain.applying.measures import ASSESSMENTS, MEASURES
from services.careplans.domain.applying.proposal import Considered, Proposal
from shared.fhir.json import Resource

AS_OF = datetime(2026, 3, 1, 12, tzinfo=UTC)
DEFINITIONS = definitions(catalogue())
PLANS = {each["id"]: each for each in DEFINITIONS if each["resourceType"] == "PlanDefinition"}

_CODES = {each.variable: each.coding for table in (MEASURES, ASSESSMENTS) for each in table}


def patient(**more: Any) -> Resource:
    return {"resourceType": "Patient", "id": "p", "birthDate": "1980-05-05"} | more


def observation(variable: str, value: int | str | bool | Decimal, at: str = "2026-02-01", **more: Any) -> Resource:
    """The Observation that holds ``variable``."""
    system, code = _CODES[variable]
    made: Resource = {
        "resourceType": "Observation",
        "id": f"{code}-{at}",
        "status": "final",
        "code": {"coding": [{"system": system, "code": code}]},
        "effectiveDateTime": at,
    }
    if isinstance(value, bool):
        made["valueBoolean"] = value
    else:
        made["valueQuantity"] = {"value": value}
    return made | more


def condition(code: str, system: str = ICD10CM, *, verification: str | None = "confirmed", **more: Any) -> Resource:
    made: Resource = {
        "resourceType": "Condition",
        "id": f"c-{code.lower()}",
        "code": {"coding": [{"system": system, "code": code}]},
    }
    if verification:
        made["verificationStatus"] = {"coding": [{"system": "v", "code": verification}]}
    return made | more


def medicine(name: str, **more: Any) -> Resource:
    return {
        "resourceType": "MedicationRequest",
        "id": f"m-{name.lower()}",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": f"{name} 10 MG Oral Tablet"},
    } | more


def record(*resources: Resource, **born: Any) -> dict[str, list[Resource]]:
    """A record of one patient."""
    found: dict[str, list[Resource]] = {"Patient": [patient(**born)]}
    for resource in resources:
        found.setdefault(resource["resourceType"], []).append(resource)
    return found


def proposed(plan: str, *resources: Resource, circumstances: Circumstances | None = None, **born: Any) -> Proposal:
    """One of the catalogue's plans over a record."""
    return apply(PLANS[plan], DEFINITIONS, record(*resources, **born), AS_OF, circumstances or Circumstances())


def action(proposal: Proposal, id_: str) -> Considered:
    (found,) = (each for each in proposal.all() if each.id == id_)
    return found
