"""The caller as the rules see it: a role, a discipline, and the references that stand for them."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a caller is. ``system`` is an EHR back end or one of our own workers."""

    COORDINATOR = "coordinator"
    CLINICIAN = "clinician"
    PATIENT = "patient"
    SYSTEM = "system"


class Discipline(StrEnum):
    """The three disciplines that share one plan."""

    PAIN_MEDICINE = "pain-medicine"
    MENTAL_HEALTH = "mental-health"
    PHYSICAL_THERAPY = "physical-therapy"


@dataclass(frozen=True, slots=True)
class Caller:
    """A verified caller. References are relative: ``Practitioner/x``, ``Organization/y``, ``Patient/z``."""

    subject: str
    role: Role
    discipline: Discipline | None = None
    fhir_user: str | None = None
    organization: str | None = None

    @property
    def references(self) -> frozenset[str]:
        """The references that stand for this caller as a Task's requester or owner."""
        return frozenset(reference for reference in (self.fhir_user, self.organization) if reference)


OWN = "consilium:"
"""What the subjects of our own processes begin with; nobody else's token may."""


def internal(service: str) -> Caller:
    """The caller that one of our own workers is while it handles an event."""
    return Caller(subject=f"{OWN}{service}", role=Role.SYSTEM)
