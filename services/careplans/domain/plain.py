"""The plan in plain words, for the patient: short sentences, no codes, what the patient said first.

Reading ease is aimed at grade 6, as the AHRQ Health Literacy Universal Precautions Toolkit (2024, tool 11) asks for.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from services.careplans.domain.applying.circumstances import Circumstances
from services.careplans.domain.codes import reference_of
from services.careplans.domain.facts import activity_discipline, activity_status
from services.careplans.domain.goals import milestones
from services.careplans.domain.hands import SELF_CARE, disciplines_of_participant
from services.careplans.domain.proposals.activity import ENDED, treatments_of
from services.careplans.domain.telling import title_of
from shared.fhir.json import Resource

STATES: Mapping[str | None, str] = {
    "not-started": "not started yet",
    "scheduled": "a date is set",
    "in-progress": "under way",
    "on-hold": "on hold for now",
    "completed": "done",
    "cancelled": "called off",
    "stopped": "stopped",
}
"""http://hl7.org/fhir/R4/valueset-care-plan-activity-status.html, in words."""
GOALS: Mapping[str | None, str] = {
    "proposed": "we still talk about this one",
    "planned": "agreed, not started yet",
    "accepted": "agreed",
    "active": "we work on it",
    "on-hold": "on hold for now",
    "completed": "reached",
}
"""http://hl7.org/fhir/R4/valueset-goal-status.html, in words; what was given up is left out."""
WHO: Mapping[str | None, str] = {
    "pain-medicine": "your pain doctor",
    "mental-health": "your mental health team",
    "physical-therapy": "your physical therapist",
    SELF_CARE: "you",
}
HELP = (
    "If the pain is suddenly much worse, or you cannot move or feel a part of your body, get medical help at once.",
    "If you think of hurting yourself, call your local emergency number now. You are not alone with this.",
)
_GIVEN_UP = frozenset({"cancelled", "rejected", "entered-in-error"})


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, and what stands below it."""

    heading: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What the sentences are made of. ``names`` are people's and places' names by reference."""

    plan: Resource
    goals: Sequence[Resource] = ()
    participants: Sequence[Resource] = ()
    wishes: Circumstances = field(default_factory=Circumstances)
    names: Mapping[str, str] = field(default_factory=dict)
    treatments: Mapping[str, str] = field(default_factory=dict)
    """Titles by the code of a treatment."""


def in_plain_words(known: Known) -> tuple[Section, ...]:
    """The sections that have something to say; what to do when it gets worse is always there."""
    activities = known.plan.get("activity") or ()
    sections: tuple[tuple[str, Iterable[str]], ...] = (
        ("What matters to you", [f"“{known.wishes.matters}”"] if known.wishes.matters else []),
        ("Your goals", _goals(known.goals)),
        ("What we do", _activities(activities, known, ended=False)),
        ("What is behind you", _activities(activities, known, ended=True)),
        ("Who helps you", _team(known)),
        ("What you do not want", _declined(known)),
        ("If it gets worse", HELP),
    )
    told = [Section(heading, tuple(lines)) for heading, lines in sections]
    return tuple(section for section in told if section.lines)


def _goals(goals: Iterable[Resource]) -> Iterator[str]:
    """Each goal, and behind it the milestones on the way to it."""
    left = {f"Goal/{goal.get('id')}": goal for goal in goals if goal.get("lifecycleStatus") not in _GIVEN_UP}
    steps = {reference: list(milestones(goal)) for reference, goal in left.items()}
    within = {step for some in steps.values() for step in some}
    for reference, goal in left.items():
        if reference not in within:
            yield _goal(goal)
            yield from (f"A step on the way: {_goal(left[step])}" for step in steps[reference] if step in left)


def _goal(goal: Resource) -> str:
    status = goal.get("lifecycleStatus")
    text = (goal.get("description") or {}).get("text") or "A goal"
    due = next((each["dueDate"] for each in goal.get("target") or () if "dueDate" in each), None)
    until = f" We look at it on {due}." if due and status != "completed" else ""
    return f"{_sentence(text)} ({GOALS.get(status, 'we work on it')}){until}"


def _activities(activities: Iterable[Resource], known: Known, *, ended: bool) -> Iterator[str]:
    for activity in activities:
        status = activity_status(activity)
        if (status in ENDED) != ended or status == "entered-in-error":
            continue
        who = WHO.get(activity_discipline(activity))
        told = STATES.get(status, "we find out how it stands")
        how = (activity.get("detail") or {}).get("description")
        more = f" {_sentence(how)}" if how and how != _title(activity, known) else ""
        if not ended and treatments_of(activity) & {entry.treatment for entry in known.wishes.declined}:
            more += " You said that you do not want this: talk about it with us."
        yield f"{_title(activity, known)}: {told}{f', with {who}' if who and who != 'you' else ''}.{more}"


def _title(activity: Resource, known: Known) -> str:
    ordered = known.names.get(reference_of(activity.get("reference")) or "")
    return title_of(activity) or ordered or f"A visit to {WHO.get(activity_discipline(activity), 'another service')}"


def _team(known: Known) -> Iterator[str]:
    for participant in known.participants:
        if "end" in (participant.get("period") or {}):
            continue
        member = reference_of(participant.get("member")) or ""
        name = known.names.get(member) or (participant.get("member") or {}).get("display")
        what = next((WHO[each] for each in disciplines_of_participant(participant) if each in WHO), None)
        if name or what:
            yield f"{name}: {what}." if name and what else f"{_sentence(name or what or '')}"


def _declined(known: Known) -> Iterator[str]:
    for entry in known.wishes.declined:
        title = known.treatments.get(entry.treatment, entry.treatment)
        yield f"{title}. You said: “{entry.reason}”" if entry.reason else _sentence(title)


def _sentence(text: str) -> str:
    stripped = text.strip()
    return stripped if stripped[-1:] in ".!?" else f"{stripped}."
