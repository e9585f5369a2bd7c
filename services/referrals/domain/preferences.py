"""What makes one service a better choice than another: each judged from 0 to 1, weighed by a table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from services.referrals.domain.candidate import Candidate
from services.referrals.domain.constraints import reachable_from_home
from services.referrals.domain.languages import shared
from services.referrals.domain.needs import Needs
from services.referrals.domain.ties import Tie

UNCERTAIN = 0.5
"""What is not known is worth half: neither a merit nor a fault."""
HALVES_AT_KM = 10.0
HALVES_AT_DAYS = 14.0
"""Where distance and wait are worth half. A curve without an end: of two that are far, the nearer is still better."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """How a service does by one preference, and why: a code for programs, a sentence for people."""

    value: float
    code: str
    text: str


Preference = Callable[[Candidate, Needs], Judgement | None]
"""The judgement; None where the referral does not care."""


def relationship(candidate: Candidate, needs: Needs) -> Judgement:
    """Who knows the patient goes on where somebody new begins."""
    match candidate.seen_before:
        case Tie.SAME:
            return Judgement(1.0, "seen-before", "The patient was seen here before.")
        case Tie.ORGANIZATION:
            return Judgement(0.5, "seen-in-organization", "The patient was seen in the same organization before.")
    return Judgement(0.0, "not-seen-before", "No earlier visit of the patient is known.")


def named(candidate: Candidate, needs: Needs) -> Judgement | None:
    """Whom the order names."""
    if not needs.performers:
        return None
    offering = candidate.offering
    names = {offering.reference, offering.practitioner, offering.organization, *offering.part_of}
    if names & needs.performers:
        return Judgement(1.0, "named", "The order names it.")
    return Judgement(0.0, "not-named", "The order names somebody else.")


def language(candidate: Candidate, needs: Needs) -> Judgement | None:
    """A language that the patient speaks."""
    if not needs.languages:
        return None
    if not candidate.offering.languages:
        return Judgement(UNCERTAIN, "language-unknown", "Its languages are not known.")
    if shared(candidate.offering.languages, needs.languages):
        return Judgement(1.0, "language", "It speaks a language that is asked for.")
    return Judgement(0.0, "language-differs", "It speaks none of the languages that are asked for.")


def modality(candidate: Candidate, needs: Needs) -> Judgement | None:
    """A way of being seen that is wanted."""
    if not needs.modalities:
        return None
    if not candidate.offering.modalities:
        return Judgement(UNCERTAIN, "modality-unknown", "How it sees patients is not known.")
    if candidate.offering.modalities & needs.modalities:
        return Judgement(1.0, "modality", "It sees patients in a way that is asked for.")
    return Judgement(0.0, "modality-differs", "It does not see patients in a way that is asked for.")


def location(candidate: Candidate, needs: Needs) -> Judgement | None:
    """A location that the order names."""
    if not needs.locations:
        return None
    if candidate.offering.locations & needs.locations:
        return Judgement(1.0, "location", "It is at a location that the order names.")
    return Judgement(0.0, "location-differs", "It is not at a location that the order names.")


def distance(candidate: Candidate, needs: Needs) -> Judgement | None:
    """A short way."""
    if needs.place is None:
        return None
    if reachable_from_home(candidate, needs):
        return Judgement(1.0, "telehealth", "It can be reached from home.")
    if candidate.distance_km is None:
        return Judgement(UNCERTAIN, "distance-unknown", "Where it is, is not known.")
    value = HALVES_AT_KM / (HALVES_AT_KM + candidate.distance_km)
    return Judgement(value, "distance", f"It is {candidate.distance_km:.1f} km away.")


def wait(candidate: Candidate, needs: Needs) -> Judgement:
    """A short wait, as it really was."""
    waiting = candidate.waiting
    if waiting.median_days is None or waiting.p90_days is None:
        return Judgement(UNCERTAIN, "wait-unknown", f"Too few cases to tell the wait ({waiting.cases}).")
    whose = "its organization's cases" if waiting.basis == "organization" else "cases"
    words = f"Half are seen within {waiting.median_days:g} days, nine in ten within {waiting.p90_days:g}"
    value = HALVES_AT_DAYS / (HALVES_AT_DAYS + waiting.median_days)
    return Judgement(value, "wait", f"{words} ({waiting.cases} {whose}).")


def room(candidate: Candidate, needs: Needs) -> Judgement | None:
    """Room for a new patient, where that is known."""
    if candidate.has_room is None:
        return None
    if candidate.has_room:
        return Judgement(1.0, "room", "It has room for a new patient.")
    return Judgement(0.0, "full", "It has no capacity left this week, and no free slot.")


PREFERENCES: Mapping[str, tuple[float, Preference]] = {
    "named": (4.0, named),
    "relationship": (3.0, relationship),
    "language": (3.0, language),
    "modality": (2.0, modality),
    "location": (2.0, location),
    "wait": (2.0, wait),
    "distance": (2.0, distance),
    "room": (1.0, room),
}
"""By name: the weight and the judgement, in the order in which they are told."""
URGENT = {"wait": 2.0, "room": 2.0}
"""By how much more these weigh where the priority is above routine."""
