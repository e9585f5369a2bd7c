"""What the record does not hold: the patient's wishes, and how long one waits for each discipline nearby."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from services.careplans.domain.applying.inputs import Input

WAITS: Mapping[str, tuple[str, str]] = {
    "pain-medicine": ("waitPainMedicine", "Days to wait for pain medicine"),
    "mental-health": ("waitMentalHealth", "Days to wait for mental health"),
    "physical-therapy": ("waitPhysicalTherapy", "Days to wait for physical therapy"),
}
"""Discipline -> variable and title."""


@dataclass(frozen=True, slots=True)
class Declined:
    """What the patient does not want: a treatment's code or a group of the catalogue, and the reason in their words."""

    treatment: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """None is "not asked", which is not "no"."""

    declined: tuple[Declined, ...] = ()
    preferred: frozenset[str] = frozenset()
    """Codes of treatments or groups that the patient would like."""
    telehealth: bool | None = None
    """Whether the patient takes visits by video or telephone."""
    groups: bool | None = None
    """Whether the patient takes part in groups."""
    language: str | None = None
    """BCP 47; None: that of ``Patient.communication``, if it says which is preferred."""
    times: str | None = None
    """When the patient can come, in their words."""
    matters: str | None = None
    """What matters to the patient, in their words."""
    waits: Mapping[str, int] = field(default_factory=dict)
    """Discipline -> days until the next free visit nearby."""

    def refusal(self, treatment: str, group: str | None) -> Declined | None:
        """The first entry of ``declined`` that means this treatment."""
        return next((entry for entry in self.declined if entry.treatment in (treatment, group)), None)

    def inputs(self) -> Iterator[Input]:
        """The variables of it."""
        yield _asked("telehealth", "Takes visits by video or telephone", self.telehealth)
        yield _asked("groups", "Takes part in groups", self.groups)
        for discipline, (variable, title) in WAITS.items():
            yield Input(
                variable,
                title,
                self.waits.get(discipline),
                note="" if discipline in self.waits else f"needs the number of {title[0].lower()}{title[1:]}",
            )


def _asked(name: str, title: str, value: bool | None) -> Input:
    return Input(name, title, value, note="" if value is not None else f"needs to be asked: {title}")
