"""Who takes part in a patient's care, learned from the referrals: thin plan events do not name the team."""

from collections.abc import Mapping
from dataclasses import dataclass

_BOTH = ("requester", "owner")

MEMBERS: Mapping[str, tuple[str, ...]] = {
    "requested": ("requester",),
    "received": ("requester",),
    "accepted": _BOTH,
    "ready": _BOTH,
    "in-progress": _BOTH,
    "on-hold": _BOTH,
    "completed": _BOTH,
}
"""Task status -> which parties of the referral take part. In any other status: nobody, by this referral."""


@dataclass(frozen=True, slots=True)
class Referral:
    """What one referral says of who takes part."""

    task: str
    version: int
    status: str
    patient: str | None = None
    service_request: str | None = None
    requester: str | None = None
    owner: str | None = None

    @property
    def parties(self) -> tuple[str, ...]:
        """Both ends of the referral."""
        return tuple(party for party in (self.requester, self.owner) if party)

    @property
    def members(self) -> tuple[str, ...]:
        """Those of the parties who take part in the care."""
        ends = {"requester": self.requester, "owner": self.owner}
        return tuple(party for end in MEMBERS.get(self.status, ()) if (party := ends[end]))
