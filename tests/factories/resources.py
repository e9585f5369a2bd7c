"""Small valid resources; a test overrides what it is about."""

from typing import Any

Resource = dict[str, Any]


def patient(**more: Any) -> Resource:
    """A patient with an identifier."""
    return {
        "resourceType": "Patient",
        "identifier": [{"system": "urn:oid:1.2.3", "value": "p-1"}],
        "name": [{"family": "Nightingale", "given": ["Robin"]}],
        "gender": "female",
        "birthDate": "1971-05-04",
    } | more


def care_plan(subject: str, **more: Any) -> Resource:
    """An active plan."""
    return {
        "resourceType": "CarePlan",
        "status": "active",
        "intent": "plan",
        "subject": {"reference": subject},
        "period": {"start": "2026-01-01"},
        "category": [
            {"coding": [{"system": "http://hl7.org/fhir/us/core/CodeSystem/careplan-category", "code": "assess-plan"}]}
        ],
    } | more


def observation(subject: str, **more: Any) -> Resource:
    """A PEG score."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "91147-9"}]},
        "subject": {"reference": subject},
        "effectiveDateTime": "2026-02-03T10:00:00Z",
        "valueQuantity": {"value": 6.3, "unit": "{score}", "system": "http://unitsofmeasure.org", "code": "{score}"},
    } | more


def bundle(kind: str, *entries: Resource) -> Resource:
    """A Bundle of entries made by ``entry``."""
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def entry(
    method: str, url: str, resource: Resource | None = None, full_url: str | None = None, **request: Any
) -> Resource:
    """One entry."""
    told: Resource = {"request": {"method": method, "url": url} | request}
    if resource is not None:
        told["resource"] = resource
    if full_url is not None:
        told["fullUrl"] = full_url
    return told
