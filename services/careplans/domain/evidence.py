"""What HCPCS G3002 and G3003 ask for in a calendar month, what there is of it, and what is missing. Evidence for people
who bill, and no claim: not every element is needed in every month ("as appropriate"), and that is theirs to judge.

Source: CMS, CY 2023 Physician Fee Schedule final rule, 87 FR 69404 (2022-11-18), (33) Chronic Pain Management and
Treatment bundles: G3002, the first 30 minutes by a physician or other qualified health professional in a calendar
month; G3003, each 15 minutes more; chronic pain is pain that persists or recurs for longer than 3 months.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from services.careplans.domain.applying.conditions import in_class
from services.careplans.domain.codes import reference_of
from services.careplans.domain.facts import activity_discipline, activity_status
from services.careplans.domain.measures.series import moment
from services.careplans.domain.measures.targets import PURSUED
from services.careplans.domain.minutes import Entry, Kind, Mode, counting, total
from shared.fhir.json import Resource

SOURCE = "CMS, CY 2023 Physician Fee Schedule final rule, 87 FR 69404 (2022)"
FIRST, EACH = 30, 15
"""Minutes that G3002 needs, and each unit of G3003 beyond; met or exceeded."""
CHRONIC = timedelta(days=92)
"""Longer than 3 months."""
PAIN_SCALES = frozenset({"peg", "pain-nrs", "odi", "promis-29-pain-interference"})
"""Measures that rate pain, or what it keeps from."""
_VOID = frozenset({"entered-in-error", "refuted"})


class State(StrEnum):
    """Whether an element is there."""

    THERE = "there"
    MISSING = "missing"
    UNKNOWN = "not-known"
    """Something speaks for it, and something that would settle it is not recorded."""
    IF_NEEDED = "if-needed"
    """Nothing is there, and the rule asks for it only where it is necessary or appropriate."""


@dataclass(frozen=True, slots=True)
class Material:
    """What one plan's month is judged from: the plan, the patient's goals and conditions, the pain scores of the month
    (``Observation/x``), and the ledger: the month's entries, visits of any day."""

    plan: Resource
    goals: Sequence[Resource]
    conditions: Sequence[Resource]
    scores: Sequence[str]
    entries: Sequence[Entry]
    first: date
    last: date

    @property
    def of_month(self) -> tuple[Entry, ...]:
        """The entries that count in the month."""
        return tuple(entry for entry in counting(self.entries) if self.first <= entry.day <= self.last)


@dataclass(frozen=True, slots=True)
class Found:
    """What there is of one element. ``shown_by`` are references, or ``minutes/`` and the id of an entry."""

    state: State
    shown_by: tuple[str, ...] = ()
    lacks: str | None = None


@dataclass(frozen=True, slots=True)
class Element:
    """One element of the codes. ``needed``: it is asked for in every month."""

    id: str
    says: str
    needed: bool
    look: Callable[[Material], Found]


@dataclass(frozen=True, slots=True)
class Judged:
    """One element in one month."""

    element: Element
    found: Found


@dataclass(frozen=True, slots=True)
class Evidence:
    """A plan's month. ``complete``: every needed element is there, and the minutes."""

    minutes: int
    qualified: int
    units: int
    """Of G3003: whole quarters of an hour beyond the first 30 minutes."""
    to_next: int
    """Minutes until G3002, or until one more unit of G3003."""
    elements: tuple[Judged, ...]
    missing: tuple[str, ...]
    """Ids of needed elements that are missing or not known; ``minutes`` where they are too few."""

    @property
    def complete(self) -> bool:
        """Whether nothing that is needed is missing."""
        return not self.missing


def judge(material: Material) -> Evidence:
    """What there is of both codes in the month of ``material``."""
    entries = material.of_month
    qualified = total(entries, qualified=True)
    elements = tuple(Judged(element, element.look(material)) for element in ELEMENTS)
    missing = [each.element.id for each in elements if each.element.needed and each.found.state is not State.THERE]
    beyond = qualified - FIRST
    return Evidence(
        minutes=total(entries),
        qualified=qualified,
        units=max(0, beyond // EACH),
        to_next=-beyond if beyond < 0 else EACH - beyond % EACH,
        elements=elements,
        missing=(*missing, *(("minutes",) if beyond < 0 else ())),
    )


def _diagnosis(material: Material) -> Found:
    having = [each for each in material.conditions if _holds(each) and in_class("chronic-pain", each)]
    ends = datetime.combine(material.last, time.max, UTC)
    old = [each for each in having if (since := _since(each)) is not None and ends - since > CHRONIC]
    if old:
        return Found(State.THERE, _references(old))
    if any(_since(each) is None for each in having):
        return Found(State.UNKNOWN, _references(having), "Since when the pain lasts (Condition.onset) is not recorded.")
    if having:
        return Found(State.MISSING, _references(having), "The recorded pain has not lasted for longer than 3 months.")
    return Found(State.MISSING, lacks="No active Condition of chronic pain.")


def _scale(material: Material) -> Found:
    if material.scores:
        return Found(State.THERE, tuple(material.scores))
    return Found(State.MISSING, lacks="No score of a pain scale (PEG, NRS, ODI, PROMIS) in the month.")


def _plan(material: Material) -> Found:
    plan = material.plan
    named = {reference_of(each) for each in plan.get("goal") or ()}
    goals = [each for each in material.goals if f"Goal/{each['id']}" in named and each["lifecycleStatus"] in PURSUED]
    wanted = [each for each in goals if reference_of(each.get("expressedBy")) == reference_of(plan.get("subject"))]
    shown = (f"CarePlan/{plan['id']}", *_references(goals))
    lacks = [
        *(() if plan.get("status") == "active" else ("The plan is not active.",)),
        *(() if goals else ("No goal is pursued.",)),
        *(() if wanted or not goals else ("No goal was expressed by the patient.",)),
        *(() if plan.get("activity") else ("No activity.",)),
    ]
    return Found(State.MISSING if lacks else State.THERE, shown, " ".join(lacks) or None)


def _initial_visit(material: Material) -> Found:
    visits = [
        entry
        for entry in counting(material.entries)
        if entry.kind is Kind.VISIT and entry.mode is Mode.IN_PERSON and entry.qualified and entry.minutes >= FIRST
    ]
    until = [entry for entry in visits if entry.day <= material.last]
    if until:
        return Found(State.THERE, _entries(until[:1]))
    return Found(State.MISSING, lacks=f"No visit in person of {FIRST} minutes or more up to the end of the month.")


def _of_kind(*kinds: Kind, needed: bool) -> Callable[[Material], Found]:
    def look(material: Material) -> Found:
        entries = [entry for entry in material.of_month if entry.kind in kinds]
        if entries:
            return Found(State.THERE, _entries(entries))
        named = " or ".join(kinds)
        return Found(State.MISSING if needed else State.IF_NEEDED, lacks=f"No minutes of {named} in the month.")

    return look


def _behavioral(material: Material) -> Found:
    by_minutes = _of_kind(Kind.BEHAVIORAL_HEALTH, needed=False)(material)
    if by_minutes.state is State.THERE:
        return by_minutes
    open_ = (
        each
        for each in material.plan.get("activity") or ()
        if activity_discipline(each) == "mental-health" and activity_status(each) in ("scheduled", "in-progress")
    )
    shown = tuple(reference for each in open_ if (reference := reference_of(each.get("reference"))))
    return Found(State.THERE, shown) if shown else by_minutes


ELEMENTS: tuple[Element, ...] = (
    Element("diagnosis", "a diagnosis of pain that has lasted for longer than 3 months", True, _diagnosis),
    Element("initial-visit", "an initial visit in person of at least 30 minutes", True, _initial_visit),
    Element("assessment", "assessment and monitoring", True, _of_kind(Kind.ASSESSMENT, Kind.VISIT, needed=True)),
    Element("validated-scale", "a validated pain rating scale or tool", True, _scale),
    Element("person-centred-plan", "a person-centred plan with goals, needs and desired outcomes", True, _plan),
    Element(
        "treatment-management",
        "overall treatment management",
        True,
        _of_kind(Kind.TREATMENT_MANAGEMENT, Kind.CARE_PLAN, Kind.PLAN_REVIEW, needed=True),
    ),
    Element("behavioral-health", "coordination of necessary behavioural health treatment", False, _behavioral),
    Element("medication-management", "medication management", True, _of_kind(Kind.MEDICATION_MANAGEMENT, needed=True)),
    Element("education", "pain and health literacy counselling", True, _of_kind(Kind.EDUCATION, needed=True)),
    Element("crisis-care", "necessary care in pain-related crises", False, _of_kind(Kind.CRISIS_CARE, needed=False)),
    Element(
        "coordination",
        "communication and coordination between practitioners",
        True,
        _of_kind(Kind.COORDINATION, needed=True),
    ),
)
"""In the order of the descriptor of G3002."""


def _holds(condition: Resource) -> bool:
    codes = [
        coding.get("code")
        for name in ("clinicalStatus", "verificationStatus")
        for coding in (condition.get(name) or {}).get("coding") or ()
    ]
    return _VOID.isdisjoint(codes) and not {"resolved", "inactive", "remission"} & set(codes)


def _since(condition: Resource) -> datetime | None:
    period = condition.get("onsetPeriod") or {}
    return moment(condition.get("onsetDateTime") or period.get("start"))


def _references(resources: Iterable[Resource]) -> tuple[str, ...]:
    return tuple(f"{each['resourceType']}/{each['id']}" for each in resources)


def _entries(entries: Iterable[Entry]) -> tuple[str, ...]:
    return tuple(entry.evidence or f"minutes/{entry.id}" for entry in entries)
