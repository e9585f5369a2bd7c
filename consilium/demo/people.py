"""Who takes part in the demo: three disciplines with an organization, a person and a role each, and a coordinator."""

from dataclasses import dataclass
from typing import Any

from consilium.importing.units import Entry, entry_of
from shared.security.caller import Caller, Discipline, Role

NUCC = "http://nucc.org/provider-taxonomy"


@dataclass(frozen=True, slots=True)
class Actor:
    """A clinician with their organization."""

    key: str
    given: str
    family: str
    organization: str
    discipline: Discipline
    specialty: str
    """NUCC code."""
    title: str

    @property
    def reference(self) -> str:
        """As Task.requester and Task.owner name them."""
        return f"Practitioner/demo-{self.key}"

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.given} {self.family}"

    @property
    def caller(self) -> Caller:
        """Whose token they bear."""
        return Caller(
            subject=f"demo-{self.key}",
            role=Role.CLINICIAN,
            discipline=self.discipline,
            fhir_user=self.reference,
            organization=f"Organization/demo-{self.key}",
        )


PAIN = Actor("pain", "Amara", "Voss", "Harbour Pain Clinic", Discipline.PAIN_MEDICINE, "208VP0000X", "Pain medicine")
PSYCHOLOGIST = Actor(
    "mental", "Jonas", "Weir", "Lakeside Psychology", Discipline.MENTAL_HEALTH, "103T00000X", "Psychologist"
)
THERAPIST = Actor(
    "physio",
    "Mei",
    "Tanaka",
    "Steady Motion Physiotherapy",
    Discipline.PHYSICAL_THERAPY,
    "225100000X",
    "Physiotherapist",
)
ACTORS = (PAIN, PSYCHOLOGIST, THERAPIST)
COORDINATOR = Caller("demo-coordinator", Role.COORDINATOR)
DIRECTORY_CLERK = Caller("demo-directory", Role.SYSTEM)

NAMES = {actor.reference: f"{actor.name} ({actor.title.lower()})" for actor in ACTORS}


def directory() -> list[Entry]:
    """The entries that put everybody into the directory; safe to send again."""
    return [entry_of(resource) for actor in ACTORS for resource in _resources(actor)]


def _resources(actor: Actor) -> list[dict[str, Any]]:
    specialty = {"coding": [{"system": NUCC, "code": actor.specialty}], "text": actor.title}
    return [
        {"resourceType": "Organization", "id": f"demo-{actor.key}", "active": True, "name": actor.organization},
        {
            "resourceType": "Practitioner",
            "id": f"demo-{actor.key}",
            "active": True,
            "name": [{"family": actor.family, "given": [actor.given]}],
        },
        {
            "resourceType": "PractitionerRole",
            "id": f"demo-{actor.key}",
            "active": True,
            "practitioner": {"reference": actor.reference},
            "organization": {"reference": f"Organization/demo-{actor.key}"},
            "specialty": [specialty],
        },
    ]
