"""What a HealthcareService or PractitionerRole offers, as far as it says.

http://hl7.org/fhir/R4/healthcareservice.html, http://hl7.org/fhir/R4/practitionerrole.html; what R4 has no element for
is in ``extensions``. Any element may be missing: what is not said is unknown, and never an error.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from services.referrals.domain import extensions
from services.referrals.domain.absence import absences_of
from services.referrals.domain.ages import AgeRange, ages_of
from services.referrals.domain.dates import Days, days_of_period
from services.referrals.domain.discipline import SNOMED
from services.referrals.domain.distance import Place, place_of_location
from services.referrals.domain.extensions import extended, listed, number, parts
from services.referrals.domain.languages import spoken
from services.referrals.domain.references import codings, target
from services.referrals.domain.specialty import Specialty, offered
from shared.fhir.json import Resource

OFFERING = ("HealthcareService", "PractitionerRole")
_RELATED = ("location", "providedBy", "organization", "practitioner", "healthcareService")


class Modality(StrEnum):
    """How one is seen. The codes are those of ``extensions.MODALITIES``."""

    ON_SITE = "on-site"
    TELEHEALTH = "telehealth"
    GROUP = "group"


_MODALITIES: Mapping[tuple[str | None, str], Modality] = {
    **{(extensions.MODALITIES, each.value): each for each in Modality},
    (extensions.DELIVERY_METHODS, "physical"): Modality.ON_SITE,
    (extensions.DELIVERY_METHODS, "virtual"): Modality.TELEHEALTH,
    (SNOMED, "1555005"): Modality.GROUP,  # group psychotherapy
    ("http://terminology.hl7.org/CodeSystem/service-type", "224"): Modality.GROUP,  # support groups
    ("http://terminology.hl7.org/CodeSystem/service-category", "32"): Modality.GROUP,  # support group/s
}


@dataclass(frozen=True, slots=True)
class Offering:
    """One service or role. References are relative; empty is unknown; without ``ages`` or ``payers`` it takes all."""

    reference: str
    name: str | None = None
    active: bool = True
    organization: str | None = None
    practitioner: str | None = None
    part_of: tuple[str, ...] = ()
    """The services that a role is in."""
    specialties: frozenset[Specialty] = frozenset()
    modalities: frozenset[Modality] = frozenset()
    languages: frozenset[str] = frozenset()
    ages: tuple[AgeRange, ...] = ()
    payers: frozenset[str] = frozenset()
    absences: tuple[Days, ...] = ()
    weekly_capacity: int | None = None
    accepting: bool | None = None
    """What SDOH-CC's capacity status says."""
    locations: frozenset[str] = frozenset()
    places: tuple[Place, ...] = ()
    period: Days | None = None
    """When a role is held."""

    def held_on(self, day: date) -> bool:
        """Whether it is there at all on ``day``."""
        return self.active and (self.period is None or self.period.first <= day <= self.period.last)


def related_to(resource: Resource) -> Iterator[str]:
    """The references of a service or role that say more of what it offers."""
    found = (target(each) for element in _RELATED for each in listed(resource, element))
    return (reference for reference in found if reference)


def offering_of(resource: Resource, related: Mapping[str, Resource]) -> Offering:
    """What ``resource`` offers; a role what its services offer, too, where it does not say itself."""
    services = [
        offering_of(service, related)
        for reference in _references(resource, "healthcareService")
        if (service := related.get(reference)) and service["resourceType"] == "HealthcareService"
    ]
    practitioner = _one(resource, "practitioner")
    organization = _one(resource, "providedBy") or _one(resource, "organization")
    behind = [related.get(reference or "", {}) for reference in (practitioner, organization)]
    locations = _references(resource, "location")
    places = (place_of_location(related[reference]) for reference in locations if reference in related)
    own_active = all(each.get("active") is not False for each in (resource, *behind))
    return Offering(
        reference=f"{resource['resourceType']}/{resource['id']}",
        name=_name(resource, *behind),
        active=own_active and (not services or any(service.active for service in services)),
        organization=organization or next((each.organization for each in services if each.organization), None),
        practitioner=practitioner,
        part_of=tuple(_references(resource, "healthcareService")),
        specialties=_specialties(resource) or _all(service.specialties for service in services),
        modalities=_modalities(resource) or _all(service.modalities for service in services),
        languages=_languages(resource, behind[0]) or _all(service.languages for service in services),
        ages=ages_of(resource) or tuple(dict.fromkeys(age for service in services for age in service.ages)),
        payers=_payers(resource) or _all(service.payers for service in services),
        absences=absences_of(resource),
        weekly_capacity=_capacity(resource),
        accepting=_accepting(resource),
        locations=frozenset(locations) or _all(service.locations for service in services),
        places=tuple(place for place in places if place)
        or tuple(dict.fromkeys(place for service in services for place in service.places)),
        period=days_of_period(resource.get("period")),
    )


def _all(sets: Iterable[frozenset[Any]]) -> frozenset[Any]:
    return frozenset().union(*sets)


def _references(resource: Resource, element: str) -> list[str]:
    found = (target(each) for each in listed(resource, element))
    return [reference for reference in found if reference]


def _one(resource: Resource, element: str) -> str | None:
    return next(iter(_references(resource, element)), None)


def _name(resource: Resource, practitioner: Resource, organization: Resource) -> str | None:
    own, theirs = resource.get("name"), organization.get("name")
    if isinstance(own, str) and own:
        return own
    known = (_person(practitioner), theirs if isinstance(theirs, str) else None)
    return ", ".join(filter(None, known)) or None


def _person(practitioner: Resource) -> str | None:
    for name in listed(practitioner, "name"):
        if isinstance(name.get("text"), str):
            return str(name["text"])
        given = name.get("given")
        words = [*(given if isinstance(given, list) else ()), name.get("family")]
        return " ".join(word for word in words if isinstance(word, str)) or None
    return None


def _specialties(resource: Resource) -> frozenset[Specialty]:
    elements = ("specialty", "type", "category", "code")
    return offered(*(resource.get(element) for element in elements))


def _modalities(resource: Resource) -> frozenset[Modality]:
    elements = ("characteristic", "specialty", "type", "category")
    coded = [key for element in elements for key in codings(resource.get(element))]
    coded += [(extensions.MODALITIES, code) for code in extended(resource, extensions.MODALITY, "valueCode")]
    for concept in parts(resource, extensions.DELIVERY_METHOD, "type", "valueCodeableConcept"):
        coded += codings(concept)
    return frozenset(_MODALITIES[key] for key in coded if isinstance(key[1], str) and key in _MODALITIES)


def _languages(resource: Resource, practitioner: Resource) -> frozenset[str]:
    return spoken(resource.get("communication")) | spoken(practitioner.get("communication"))


def _payers(resource: Resource) -> frozenset[str]:
    found = (target(each) for each in extended(resource, extensions.PAYER, "valueReference"))
    return frozenset(reference for reference in found if reference)


def _capacity(resource: Resource) -> int | None:
    for value in extended(resource, extensions.CAPACITY, "valueUnsignedInt"):
        found = number(value)
        if found is not None and found >= 0:
            return int(found)
    return None


def _accepting(resource: Resource) -> bool | None:
    for concept in parts(resource, extensions.CAPACITY_STATUS, "capacityStatus", "valueCodeableConcept"):
        for system, code in codings(concept):
            if system == extensions.CAPACITY_STATUSES and code in ("capacity", "no-capacity", "waitlist"):
                return code == "capacity"
    return None
