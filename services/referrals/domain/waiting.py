"""How long people really waited from acceptance to the first visit, or that too little is known of it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

MINIMUM = 5
"""Cases below which no estimate is given: a median of four moves by half its spread when one more comes, and a 90th
percentile of them is but the longest. It also keeps a single patient's wait from being read off a statistic."""
WINDOW = timedelta(days=365)
"""Visits longer ago say little of how it is now."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What happened at one or several owners of referrals. Times are in seconds."""

    cases: int = 0
    """Referrals that were accepted, and seen within ``WINDOW``."""
    median: float | None = None
    p90: float | None = None
    waiting: int = 0
    """Accepted and not seen yet. Their waits are not in the percentiles, which therefore tend to be too short."""
    longest: float | None = None
    """How long the one who waits longest has waited until now."""
    accepted_this_week: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """An estimate with what it stands on. ``known`` is False below ``MINIMUM`` cases: there is no number then."""

    known: bool
    basis: Literal["service", "organization"]
    """Whose cases: the service's own, or where those are too few its organization's in the same discipline."""
    cases: int
    median_days: float | None
    p90_days: float | None
    waiting_now: int
    longest_now_days: float | None


def estimate(service: Observed, organization: Observed | None = None) -> Waiting:
    """The wait to expect. Who waits now is always counted at the service itself."""
    enough = service.cases < MINIMUM and organization is not None and organization.cases >= MINIMUM
    used = organization if enough and organization is not None else service
    known = used.cases >= MINIMUM and used.median is not None and used.p90 is not None
    return Waiting(
        known=known,
        basis="service" if used is service else "organization",
        cases=used.cases,
        median_days=_days(used.median) if known else None,
        p90_days=_days(used.p90) if known else None,
        waiting_now=service.waiting,
        longest_now_days=_days(service.longest),
    )


def _days(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds / 86_400, 1)


UNKNOWN = estimate(Observed())
"""Of what nobody was referred to."""
