"""Candidates and needs; a test says what it is about."""

from datetime import date
from typing import Any

from services.referrals.domain.candidate import Candidate, Load
from services.referrals.domain.needs import Needs
from services.referrals.domain.offering import Offering
from services.referrals.domain.specialty import Specialty
from services.referrals.domain.waiting import Observed, estimate

TODAY = date(2026, 3, 2)
PSYCHOLOGY = frozenset({Specialty.PSYCHOLOGY})


def candidate(name: str = "s", **more: Any) -> Candidate:
    """A psychology service that nothing else is known of."""
    known = {key: more.pop(key) for key in ("waiting", "load", "distance_km", "seen_before", "loops") if key in more}
    return Candidate(Offering(f"HealthcareService/{name}", **{"specialties": PSYCHOLOGY, **more}), **known)


def needs(**more: Any) -> Needs:
    """Somebody is to see a psychologist."""
    return Needs(**{"specialties": PSYCHOLOGY, "today": TODAY, **more})


def waited(days: float, cases: int = 20, **more: Any) -> Any:
    """A wait that is known."""
    return estimate(Observed(cases, days * 86_400, days * 2 * 86_400, **more))


def slots(free: int | None, accepted: int = 0) -> Load:
    """So many free slots, and patients accepted this week."""
    return Load(accepted, free)
