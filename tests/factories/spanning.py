"""Transactions over all three services."""

from shared.fhir.json import Resource
from tests.factories.referrals import order, task
from tests.factories.resources import bundle, care_plan, entry, patient

PATIENT, DOCTOR, ORDER, PLAN, LETTER, REFERRAL = (f"urn:uuid:00000000-0000-4000-8000-00000000000{n}" for n in range(6))
STORED = {"referrals": 3, "careplans": 2, "notifications": 1}
"""Resources that ``whole_story`` makes, by service."""
TOLD = {
    "referrals": [*["record.referrals.v1"] * 3, "referral.requested.v1"],
    "careplans": ["careplan.created.v1", *["record.careplans.v1"] * 2],
    "notifications": [],
}
"""And the types of its events, sorted."""


def letter(**more: object) -> Resource:
    """A message about the order."""
    return {
        "resourceType": "Communication",
        "status": "preparation",
        "subject": {"reference": PATIENT},
        "about": [{"reference": ORDER}],
    } | more


def story() -> list[Resource]:
    """A patient, a doctor, an order with its referral and plan, referring to each other in a circle, and a message."""
    resource = order(subject={"reference": PATIENT}, requester={"reference": DOCTOR}, basedOn=[{"reference": PLAN}])
    del resource["id"]
    referral = task(
        focus={"reference": ORDER}, **{"for": {"reference": PATIENT}}, requester={"reference": DOCTOR}, owner=None
    )
    del referral["id"]
    return [
        entry("POST", "Patient", patient(generalPractitioner=[{"reference": DOCTOR}]), PATIENT),
        entry("POST", "ServiceRequest", resource, ORDER),
        entry("POST", "Communication", letter(), LETTER),
        entry("POST", "CarePlan", care_plan(PATIENT, activity=[{"reference": {"reference": ORDER}}]), PLAN),
        entry("POST", "Task", referral, REFERRAL),
        entry("POST", "Practitioner", {"resourceType": "Practitioner", "name": [{"family": "Lind"}]}, DOCTOR),
    ]


def whole_story() -> Resource:
    """``story`` as a transaction."""
    return bundle("transaction", *story())
