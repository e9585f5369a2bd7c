"""Whether two references mean the same party: the same person or service, or at least the same organization."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.referrals.domain.extensions import listed
from services.referrals.domain.references import target
from shared.fhir.json import Resource


class Tie(StrEnum):
    """How near two parties are."""

    SAME = "same"
    ORGANIZATION = "organization"


@dataclass(frozen=True, slots=True)
class Party:
    """Who stands behind a reference."""

    names: frozenset[str]
    """The person or service, under each of its references."""
    organizations: frozenset[str] = frozenset()


NOBODY = Party(frozenset())


def party_of(reference: str | None, known: Mapping[str, Resource], roles: Iterable[Resource] = ()) -> Party:
    """Who ``reference`` is, by what is ``known``; ``roles`` are PractitionerRoles that tell where a person works."""
    if reference is None:
        return NOBODY
    type_ = reference.partition("/")[0]
    if type_ == "Organization":
        return Party(frozenset({reference}), frozenset({reference}))
    resource = known.get(reference, {})
    names, organizations = {reference}, set[str]()
    if type_ == "PractitionerRole":
        names |= _targets(resource, "practitioner") | _targets(resource, "healthcareService")
        organizations |= _targets(resource, "organization")
    elif type_ == "HealthcareService":
        organizations |= _targets(resource, "providedBy")
    elif type_ == "Practitioner":
        for role in roles:
            if reference in _targets(role, "practitioner"):
                organizations |= _targets(role, "organization")
    return Party(frozenset(names), frozenset(organizations))


def tie(one: Party, other: Party) -> Tie | None:
    """How near they are; None for strangers."""
    if one.names & other.names:
        return Tie.SAME
    return Tie.ORGANIZATION if one.organizations & other.organizations else None


def nearest(party: Party, others: Iterable[Party]) -> Tie | None:
    """How near ``party`` is to the nearest of ``others``."""
    found = {tie(party, other) for other in others}
    return next((each for each in Tie if each in found), None)


def _targets(resource: Resource, element: str) -> set[str]:
    return {reference for each in listed(resource, element) if (reference := target(each))}
