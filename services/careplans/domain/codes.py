"""The systems, URLs and small readers by which our own parts of a plan are recognised."""

from collections.abc import Iterable, Mapping
from typing import Any

from shared.fhir.json import Resource

PLAN_CATEGORY_SYSTEM = "https://consilium.care/fhir/CodeSystem/plan-category"
SHARED_PLAN = "shared-plan"
DISCIPLINE_SYSTEM = "https://consilium.care/fhir/CodeSystem/discipline"
SHARED_PLAN_IDENTIFIER = "https://consilium.care/fhir/NamingSystem/shared-plan"
"""The identifier system by which a CareTeam names the shared plan (its id) that it belongs to."""

ACTIVITY_STATUS = "https://consilium.care/fhir/StructureDefinition/activity-status"
"""``activity.reference`` excludes ``activity.detail`` (cpl-3), so the status stands in an extension.

Its codes: http://hl7.org/fhir/R4/valueset-care-plan-activity-status.html"""
ACTIVITY_DISCIPLINE = "https://consilium.care/fhir/StructureDefinition/activity-discipline"
GOAL_DISCIPLINE = "https://consilium.care/fhir/StructureDefinition/goal-discipline"
"""To which discipline a Goal belongs."""
ACTIVITY_TASK = "https://consilium.care/fhir/StructureDefinition/activity-task"
"""The Task that the activity follows: what makes an activity ours."""

US_CORE_CATEGORY_SYSTEM = "http://hl7.org/fhir/us/core/CodeSystem/careplan-category"
US_CORE_CAREPLAN = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-careplan"
US_CORE_CARETEAM = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-careteam"

OWN_ELEMENT = "referral-"
"""The prefix of the ids of elements that referrals put into a plan or a team; people's own have others or none."""

DISCIPLINE_DISPLAY: Mapping[str, str] = {
    "pain-medicine": "Pain medicine",
    "mental-health": "Mental health",
    "physical-therapy": "Physical therapy",
}


def extension_value(element: Resource, url: str) -> Any:
    """The value of the element's first extension ``url`` (whatever its type), or None."""
    for extension in element.get("extension") or ():
        if extension.get("url") == url:
            return next((value for key, value in extension.items() if key.startswith("value")), None)
    return None


def followed_task(activity: Resource) -> str | None:
    """The reference of the Task that this activity follows; None for an activity that people wrote."""
    value = extension_value(activity, ACTIVITY_TASK)
    return value.get("reference") if isinstance(value, dict) else None


def reference_of(element: Any) -> str | None:
    """``element.reference`` of a Reference, or None."""
    return element.get("reference") if isinstance(element, dict) else None


def is_shared_plan(plan: Resource | None) -> bool:
    """Whether the CarePlan is the one that the service keeps for its patient."""
    return plan is not None and has_coding(plan.get("category") or (), PLAN_CATEGORY_SYSTEM, SHARED_PLAN)


def has_coding(concepts: Iterable[Resource], system: str, code: str) -> bool:
    """Whether one of the CodeableConcepts has that coding."""
    return any(
        coding.get("system") == system and coding.get("code") == code
        for concept in concepts
        for coding in concept.get("coding") or ()
    )


def plan_of_team(team: Resource | None) -> str | None:
    """The ``CarePlan/x`` that this CareTeam is the shared team of; None for any other team."""
    for identifier in (team or {}).get("identifier") or ():
        if identifier.get("system") == SHARED_PLAN_IDENTIFIER and identifier.get("value"):
            return f"CarePlan/{identifier['value']}"
    return None
