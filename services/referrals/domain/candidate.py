"""A service that is looked at for one referral, with what is known of it beside what it offers."""

from dataclasses import dataclass
from datetime import datetime

from services.referrals.domain.descent import Loop
from services.referrals.domain.offering import Offering
from services.referrals.domain.similar import Return
from services.referrals.domain.ties import Party, Tie
from services.referrals.domain.waiting import UNKNOWN, Waiting


@dataclass(frozen=True, slots=True)
class Load:
    """How full a service is."""

    accepted_this_week: int = 0
    free_slots: int | None = None
    """In the weeks that are looked at (``SLOT_WEEKS``); None where it has no schedule."""
    next_slot: datetime | None = None


SLOT_WEEKS = 4


@dataclass(frozen=True, slots=True)
class Candidate:
    """One service."""

    offering: Offering
    waiting: Waiting = UNKNOWN
    load: Load = Load()
    distance_km: float | None = None
    seen_before: Tie | None = None
    """Whether the patient was seen there, or elsewhere in its organization."""
    loops: tuple[Loop, ...] = ()
    returns: tuple[Return, ...] = ()

    @property
    def party(self) -> Party:
        """Who takes a referral to it."""
        offering = self.offering
        names = {offering.reference, *offering.part_of, *filter(None, (offering.practitioner,))}
        return Party(frozenset(names), frozenset(filter(None, (offering.organization,))))

    @property
    def capacity_left(self) -> int | None:
        """New patients that it still takes this week; None where it declares no capacity."""
        declared = self.offering.weekly_capacity
        return None if declared is None else max(0, declared - self.load.accepted_this_week)

    @property
    def has_room(self) -> bool | None:
        """Whether it can take somebody; None where nothing is known of it."""
        if self.offering.accepting is False:
            return False
        known = [part > 0 for part in (self.capacity_left, self.load.free_slots) if part is not None]
        if not known:
            return self.offering.accepting
        return any(known)
