"""Over which endpoint the owner of a referral is reached (http://hl7.org/fhir/R4/endpoint.html).

The owner's own endpoints count first, then those of the organization behind it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.referrals.domain.references import codings, target
from shared.fhir.json import Resource

REST = ("http://terminology.hl7.org/CodeSystem/endpoint-connection-type", "hl7-fhir-rest")
_BEHIND = {"PractitionerRole": "organization", "HealthcareService": "providedBy"}


@dataclass(frozen=True, slots=True)
class Route:
    """Where the owner's system is, and who is behind the owner. References are relative."""

    endpoint: str
    address: str
    """The FHIR base, without a slash at its end."""
    organization: str | None
    practitioner: str | None


def to_look_up(owner: Any, known: Mapping[str, Resource]) -> frozenset[str]:
    """What must be read next to know the route to ``owner``, beside what is ``known``."""
    reference = target(owner)
    if reference is None:
        return frozenset()
    wanted = {reference}
    for holder in _holders(reference, known):
        wanted.update(ref for each in holder.get("endpoint") or () if (ref := target(each)) is not None)
    organization = _organization(reference, known)
    if organization is not None:
        wanted.add(organization)
    return frozenset(wanted - known.keys())


def route(owner: Any, known: Mapping[str, Resource]) -> Route | None:
    """The first active FHIR endpoint of ``owner``, or of the organization behind it; None where there is none."""
    reference = target(owner)
    if reference is None:
        return None
    for holder in _holders(reference, known):
        for each in holder.get("endpoint") or ():
            name = target(each)
            endpoint = known.get(name or "")
            if name is not None and endpoint is not None and _serves(endpoint):
                practitioner = target(known[reference].get("practitioner")) if reference in known else None
                if reference.startswith("Practitioner/"):
                    practitioner = reference
                address = endpoint["address"].rstrip("/")
                return Route(name, address, _organization(reference, known), practitioner)
    return None


def _holders(reference: str, known: Mapping[str, Resource]) -> Iterator[Resource]:
    own, organization = known.get(reference), known.get(_organization(reference, known) or "")
    if own is not None:
        yield own
    if organization is not None and organization is not own:
        yield organization


def _organization(reference: str, known: Mapping[str, Resource]) -> str | None:
    if reference.startswith("Organization/"):
        return reference
    element = _BEHIND.get(reference.partition("/")[0])
    return target(known.get(reference, {}).get(element)) if element else None


def _serves(endpoint: Resource) -> bool:
    kind = {"coding": [endpoint.get("connectionType") or {}]}
    return endpoint.get("status") == "active" and REST in codings(kind) and bool(endpoint.get("address"))
