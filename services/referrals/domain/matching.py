"""Which services can take a referral, the best first, and which cannot, and why."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.referrals.domain.candidate import Candidate
from services.referrals.domain.constraints import CONSTRAINTS
from services.referrals.domain.needs import Needs
from services.referrals.domain.preferences import PREFERENCES, URGENT


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason, in a code and in words; ``preference`` is what it counts for, ``value`` from 0 to 1."""

    preference: str
    code: str
    text: str
    value: float
    weight: float


@dataclass(frozen=True, slots=True)
class Match:
    """A service that can take the referral. ``score`` is the weighed mean of its reasons, from 0 to 1."""

    candidate: Candidate
    score: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Violated:
    """A constraint that a service fails at."""

    constraint: str
    text: str


@dataclass(frozen=True, slots=True)
class Excluded:
    """A service that cannot take the referral, with all that speaks against it."""

    candidate: Candidate
    because: tuple[Violated, ...]


@dataclass(frozen=True, slots=True)
class Ranking:
    """Every candidate, in one of two lists."""

    matches: tuple[Match, ...]
    excluded: tuple[Excluded, ...]


def rank(candidates: Iterable[Candidate], needs: Needs) -> Ranking:
    """The ranking. Of equal scores the shorter wait goes first, then the shorter way, then the reference."""
    matches: list[Match] = []
    excluded: list[Excluded] = []
    for candidate in candidates:
        because = violated(candidate, needs)
        if because:
            excluded.append(Excluded(candidate, because))
        else:
            matches.append(judged(candidate, needs))
    matches.sort(key=_order)
    excluded.sort(key=lambda each: each.candidate.offering.reference)
    return Ranking(tuple(matches), tuple(excluded))


def violated(candidate: Candidate, needs: Needs) -> tuple[Violated, ...]:
    """The constraints that ``candidate`` fails at."""
    found = ((name, constraint(candidate, needs)) for name, constraint in CONSTRAINTS.items())
    return tuple(Violated(name, text) for name, text in found if text is not None)


def judged(candidate: Candidate, needs: Needs) -> Match:
    """How ``candidate`` does by all preferences that matter to the referral."""
    reasons = []
    for name, (weight, preference) in PREFERENCES.items():
        judgement = preference(candidate, needs)
        if judgement is not None:
            heavier = weight * URGENT.get(name, 1.0) if needs.urgent else weight
            reasons.append(Reason(name, judgement.code, judgement.text, round(judgement.value, 3), heavier))
    total = sum(reason.weight for reason in reasons)
    score = sum(reason.weight * reason.value for reason in reasons) / total
    return Match(candidate, round(score, 4), tuple(reasons))


def _order(match: Match) -> tuple[float, float, float, str]:
    candidate, far = match.candidate, float("inf")
    wait, way = candidate.waiting.median_days, candidate.distance_km
    return -match.score, far if wait is None else wait, far if way is None else way, candidate.offering.reference
