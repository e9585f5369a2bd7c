"""The ledger of minutes: who worked how long for a patient's plan, on which day and at what.

An entry is never changed. One that was wrong is corrected by another that names it, with a reason; both stay, and only
the last of such a line counts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from shared.errors import Forbidden, Unprocessable
from shared.security.caller import Caller, Role

LONGEST = 480
"""Minutes of one entry: a working day."""
EARLIEST = date(2000, 1, 1)
RECORDERS = frozenset({Role.COORDINATOR, Role.SYSTEM})
"""The roles that may record anybody's minutes; clinicians record their own."""


class Kind(StrEnum):
    """At what the minutes were spent. ``KINDS`` says it in words."""

    VISIT = "visit"
    ASSESSMENT = "assessment"
    CARE_PLAN = "care-plan"
    PLAN_REVIEW = "plan-review"
    TREATMENT_MANAGEMENT = "treatment-management"
    MEDICATION_MANAGEMENT = "medication-management"
    BEHAVIORAL_HEALTH = "behavioral-health"
    COORDINATION = "coordination"
    EDUCATION = "education"
    CRISIS_CARE = "crisis-care"


KINDS: dict[Kind, str] = {
    Kind.VISIT: "a visit of the patient",
    Kind.ASSESSMENT: "diagnosis, assessment and monitoring",
    Kind.CARE_PLAN: "making or changing the person-centred plan",
    Kind.PLAN_REVIEW: "reviewing the plan: the next review counts from here",
    Kind.TREATMENT_MANAGEMENT: "managing the treatment as a whole",
    Kind.MEDICATION_MANAGEMENT: "managing medication",
    Kind.BEHAVIORAL_HEALTH: "arranging and coordinating behavioural health treatment",
    Kind.COORDINATION: "communication and coordination between those who treat",
    Kind.EDUCATION: "counselling on pain and health literacy",
    Kind.CRISIS_CARE: "care in a crisis that is related to chronic pain",
}


class Mode(StrEnum):
    """How the patient was there."""

    IN_PERSON = "in-person"
    TELEHEALTH = "telehealth"
    NONE = "without-patient"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. References are relative."""

    id: str
    care_plan: str
    """The id."""
    day: date
    """As the calendar of those who worked has it."""
    minutes: int
    """0: only in a correction, where there were none."""
    kind: Kind
    mode: Mode
    performer: str
    qualified: bool
    """A physician or another qualified health professional worked in person; not clinical staff, not a system."""
    discipline: str | None
    recorded_by: str
    recorded_at: datetime
    evidence: str | None = None
    """``Encounter/x`` or another resource that shows it."""
    corrects: str | None = None
    """The id of the entry that this one takes the place of."""
    reason: str | None = None


def check(entry: Entry, caller: Caller, corrected: Entry | None, now: datetime) -> None:
    """Whether ``caller`` may record ``entry``. ``corrected`` is the entry that it corrects.

    Raises ``Forbidden`` for somebody else's minutes, ``Unprocessable`` for what cannot be."""
    if caller.role is Role.PATIENT:
        raise Forbidden("Patients do not record minutes.")
    if caller.role not in RECORDERS:
        for each in filter(None, (entry, corrected)):
            if each.performer not in caller.references:
                raise Forbidden("Clinicians record their own minutes.", expression=("body.performer",))
    if not EARLIEST <= entry.day <= now.date() + timedelta(days=1):
        # a day ahead, as somewhere it is tomorrow already
        raise Unprocessable("The day is not over yet, or too long ago.", expression=("body.day",))
    if entry.minutes == 0 and corrected is None:
        raise Unprocessable("An entry of no minutes is for corrections.", expression=("body.minutes",))
    if corrected is not None and corrected.care_plan != entry.care_plan:
        raise Unprocessable("The corrected entry is of another plan.", expression=("body.corrects",))


def counting(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Those that nobody has corrected, and that have minutes."""
    known = list(entries)
    corrected = {entry.corrects for entry in known}
    return tuple(entry for entry in known if entry.id not in corrected and entry.minutes)


def total(entries: Iterable[Entry], *, qualified: bool | None = None) -> int:
    """The minutes of ``entries``; of qualified ones alone, or of the others."""
    return sum(entry.minutes for entry in entries if qualified is None or entry.qualified is qualified)


def last_review(entries: Sequence[Entry]) -> date | None:
    """The day of the last review of the plan."""
    return max((entry.day for entry in counting(entries) if entry.kind is Kind.PLAN_REVIEW), default=None)
