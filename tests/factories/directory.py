"""Services, roles and places of the directory; a test overrides what it is about."""

from typing import Any

from tests.factories.referrals import concept, reference

Resource = dict[str, Any]
SPECIALTY = "https://consilium.care/fhir/CodeSystem/specialty"
MODALITIES = "https://consilium.care/fhir/CodeSystem/service-modality"
AGE_GROUPS = "https://consilium.care/fhir/CodeSystem/service-age-group"
LANGUAGE = "urn:ietf:bcp:47"


def extension(name: str, **value: Any) -> Resource:
    """One of our extensions of a service."""
    return {"url": f"https://consilium.care/fhir/StructureDefinition/service-{name}", **value}


def service(id: str = "s1", specialty: str | None = "psychology", **more: Any) -> Resource:
    """A HealthcareService; ``languages`` and ``modalities`` are codes."""
    languages, modalities = more.pop("languages", ()), more.pop("modalities", ())
    made = {
        "resourceType": "HealthcareService",
        "id": id,
        "active": True,
        "name": id,
        "specialty": [concept(SPECIALTY, specialty)] if specialty else None,
        "communication": [concept(LANGUAGE, each) for each in languages] or None,
        "characteristic": [concept(MODALITIES, each) for each in modalities] or None,
    } | more
    return {element: value for element, value in made.items() if value is not None}


def role(id: str = "r1", specialty: str | None = "psychology", **more: Any) -> Resource:
    """A PractitionerRole."""
    made = {
        "resourceType": "PractitionerRole",
        "id": id,
        "active": True,
        "specialty": [concept(SPECIALTY, specialty)] if specialty else None,
    } | more
    return {element: value for element, value in made.items() if value is not None}


def location(id: str, latitude: float, longitude: float) -> Resource:
    """A Location with its coordinates."""
    position = {"latitude": latitude, "longitude": longitude}
    return {"resourceType": "Location", "id": id, "name": id, "status": "active", "position": position}


def at(*locations: str) -> list[Resource]:
    """References to Locations, by id."""
    return [reference(f"Location/{each}") for each in locations]
