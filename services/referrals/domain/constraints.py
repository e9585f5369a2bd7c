"""What a service must not fail at, each as a rule with a name. What is not known excludes nobody."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from services.referrals.domain.absence import there_again
from services.referrals.domain.ages import takes
from services.referrals.domain.candidate import Candidate
from services.referrals.domain.languages import shared
from services.referrals.domain.needs import Needs, Requirement
from services.referrals.domain.offering import Modality

LONGEST_ABSENCE = timedelta(days=28)
"""Whoever is away for longer from today on is not asked; a shorter absence is a matter of waiting."""

Constraint = Callable[[Candidate, Needs], str | None]
"""Why a service is excluded, in words; None where it is not."""


def inactive(candidate: Candidate, needs: Needs) -> str | None:
    """It, its organization or its practitioner is not active, or the role is not held today."""
    return None if candidate.offering.held_on(needs.today) else "It is not active."


def specialty(candidate: Candidate, needs: Needs) -> str | None:
    """It is for nothing of what is needed, as far as its codes tell."""
    if not needs.specialties or candidate.offering.specialties & needs.specialties:
        return None
    return "It is not coded as a service for what is needed."


def age(candidate: Candidate, needs: Needs) -> str | None:
    """It takes other ages."""
    ages = candidate.offering.ages
    if needs.age is None or not ages or takes(ages, needs.age):
        return None
    return "It does not take patients of this age."


def payer(candidate: Candidate, needs: Needs) -> str | None:
    """It names its payers, and the patient's is none of them."""
    payers = candidate.offering.payers
    if needs.payer is None or not payers or needs.payer in payers:
        return None
    return "It does not accept this payer."


def away(candidate: Candidate, needs: Needs) -> str | None:
    """Nobody is there for longer than ``LONGEST_ABSENCE``."""
    again = there_again(candidate.offering.absences, needs.today)
    if again is None:
        return "It is not available, without an end."
    return f"It is not available until {again}." if again - needs.today > LONGEST_ABSENCE else None


def too_far(candidate: Candidate, needs: Needs) -> str | None:
    """It is farther than asked, and one has to go there."""
    if needs.max_distance_km is None or candidate.distance_km is None or reachable_from_home(candidate, needs):
        return None
    return "It is too far." if candidate.distance_km > needs.max_distance_km else None


def capacity(candidate: Candidate, needs: Needs) -> str | None:
    """It has no room for a new patient: asked for, and known."""
    if Requirement.CAPACITY not in needs.required or candidate.has_room is not False:
        return None
    return "It has no capacity left this week, and no free slot."


def language(candidate: Candidate, needs: Needs) -> str | None:
    """It speaks other languages: where it must be one of those."""
    spoken = candidate.offering.languages
    if Requirement.LANGUAGE not in needs.required or not spoken or shared(spoken, needs.languages or spoken):
        return None
    return "It does not offer this language."


def modality(candidate: Candidate, needs: Needs) -> str | None:
    """It sees people in other ways: where it must be one of those."""
    offered = candidate.offering.modalities
    if Requirement.MODALITY not in needs.required or not offered or not needs.modalities or offered & needs.modalities:
        return None
    return "It does not offer this modality."


def reachable_from_home(candidate: Candidate, needs: Needs) -> bool:
    """Whether the distance is no matter: it offers telehealth, and that is not unwanted."""
    return Modality.TELEHEALTH in candidate.offering.modalities and (
        not needs.modalities or Modality.TELEHEALTH in needs.modalities
    )


CONSTRAINTS: Mapping[str, Constraint] = {
    "inactive": inactive,
    "specialty": specialty,
    "age": age,
    "payer": payer,
    "not-available": away,
    "distance": too_far,
    "capacity": capacity,
    "language": language,
    "modality": modality,
}
"""By code, in the order in which they are told."""
