"""How a shared plan stands, as the board shows it: what is open, who takes part, what is missing, what is due, and how
long each section has not been touched. Made of the plan, its team, its goals and the scores; the limits are data."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum

from services.careplans.domain.codes import reference_of
from services.careplans.domain.facts import activity_discipline, activity_status
from services.careplans.domain.hands import SELF_CARE, discipline_of_goal, disciplines_of_participant, ended
from services.careplans.domain.measures.measure import Source
from services.careplans.domain.measures.response import Response, change
from services.careplans.domain.measures.series import Series, moment
from services.careplans.domain.measures.stepped_care import ON_TARGET, Step, proposal
from services.careplans.domain.measures.targets import PURSUED, targets
from services.careplans.domain.uncertainty import Uncertain
from shared.fhir.json import Resource

_THREE_MONTHS = Source("CDC, MMWR Recomm Rep 71(3), recommendation 7: benefits and risks every 3 months", 2022)
_OURS = Source("Project default, for a clinician to sign off", 2026)
MEASURED_WITHIN, MEASURED_SOURCE = timedelta(weeks=13), _THREE_MONTHS
"""A plan without a new score for longer has a gap."""
STILL_TAKEN = timedelta(weeks=13)
"""A measure that is so much older than the patient's newest score is not taken any more: it calls for no review."""
CERTAIN = Uncertain()
NEVER = datetime(9000, 1, 1, tzinfo=UTC)
ENDED = frozenset({"completed", "cancelled", "stopped", "entered-in-error"})
"""Activity statuses of what is not open (http://hl7.org/fhir/R4/valueset-care-plan-activity-status.html)."""
PURSUED_OR_PROPOSED = PURSUED | {"proposed"}
UNDONE = frozenset({"cancelled", "stopped", "entered-in-error"})
"""Statuses of activities by which nothing was, or is, done for a discipline."""


class Section(StrEnum):
    """The parts of a plan that may grow stale; ``activities`` is one for each discipline (``activities:x``)."""

    GOALS = "goals"
    TEAM = "team"
    ACTIVITIES = "activities"


STALE_AFTER: Mapping[Section, tuple[timedelta, Source]] = {
    Section.ACTIVITIES: (timedelta(weeks=13), _THREE_MONTHS),
    Section.GOALS: (timedelta(weeks=26), _OURS),
    Section.TEAM: (timedelta(weeks=26), _OURS),
}
"""How long a section may stay untouched."""


class Gap(StrEnum):
    """What a plan lacks. Those of a discipline name it: ``no-activity:mental-health``."""

    NO_GOAL = "no-goal"
    NO_PATIENT_GOAL = "no-patient-goal"
    NO_ACTIVITY = "no-activity"
    NO_MEMBER = "no-member"
    NO_REVISIT_DATE = "no-revisit-date"
    NO_RED_FLAGS = "no-red-flags"
    NOT_MEASURED = "not-measured"
    """Comes with time."""


GAPS: Mapping[Gap, str] = {
    Gap.NO_GOAL: "no goal of the plan is pursued, or proposed",
    Gap.NO_PATIENT_GOAL: "none of them was expressed by the patient (`Goal.expressedBy`)",
    Gap.NO_ACTIVITY: "the discipline was asked for (an activity that came to nothing, a goal, a team member), and"
    " no activity of it is open or completed",
    Gap.NO_MEMBER: "activities of the discipline are open, and nobody takes part for it",
    Gap.NO_REVISIT_DATE: "an uncertain diagnosis does not say by when it is looked at again",
    Gap.NO_RED_FLAGS: "an uncertain diagnosis lists no red flags",
    Gap.NOT_MEASURED: f"no new score for {MEASURED_WITHIN.days // 7} weeks",
}


class Flag(StrEnum):
    """What should catch the eye. Those of a measure name it: ``step-up:phq-9``."""

    SELF_HARM = "self-harm-answer"
    STEP_UP = "step-up"
    DETERIORATED = "deteriorated"
    REVISIT = "revisit-overdue"


FLAGS: Mapping[Flag, str] = {
    Flag.SELF_HARM: "the newest answer to PHQ-9 item 9 is not known to be harmless, however old it is",
    Flag.STEP_UP: "stepped care proposes a step up for the measure",
    Flag.DETERIORATED: "the measure's class of response is `deteriorated`",
    Flag.REVISIT: "the date of an uncertain diagnosis has passed",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How one plan stands. References are relative."""

    care_plan: str
    """The id."""
    patient: str
    status: str
    version: int
    disciplines: tuple[str, ...]
    """Of the open activities."""
    members: tuple[str, ...]
    """Who takes part."""
    open_activities: int
    activities: int
    goals: int
    gaps: tuple[str, ...]
    """Those that do not come with time."""
    flags: tuple[str, ...]
    sections: Mapping[str, datetime]
    """When each was touched last."""
    last_score_at: datetime | None
    last_review_at: datetime | None
    next_review_at: datetime
    unmeasured_at: datetime
    gap_at: datetime
    stale_at: datetime


def stand(
    plan: Resource,
    team: Resource | None,
    goals: Iterable[Resource],
    scores: Sequence[Series],
    *,
    now: datetime,
    harmless: bool | None = None,
    last_review_at: datetime | None = None,
    uncertain: Uncertain = CERTAIN,
    touched: Mapping[str, datetime] | None = None,
) -> Standing:
    """How ``plan`` stands at ``now``. ``goals`` are the patient's; those that the plan names count.

    ``harmless``: what the newest answer about self-harm is known to be. ``touched``: when sections were touched last,
    as far as that is known; of others it was when the plan was stored last."""
    parts = _parts(plan, team, goals, scores, now)
    wanted = targets(parts.goals)
    gaps = (*_gaps(plan, parts), *_uncertain_gaps(uncertain))
    unmeasured_at = (parts.newest or parts.created) + MEASURED_WITHIN
    sections = _sections(plan, parts, touched or {}, now)
    review = _next_review(parts, wanted, last_review_at)
    return Standing(
        care_plan=plan["id"],
        patient=reference_of(plan.get("subject")) or "",
        status=plan["status"],
        version=int((plan.get("meta") or {}).get("versionId") or 1),
        disciplines=_distinct(map(activity_discipline, parts.open)),
        members=_distinct(reference_of(each.get("member")) for each in parts.taking_part),
        open_activities=len(parts.open),
        activities=len(plan.get("activity") or ()),
        goals=len(parts.goals),
        gaps=gaps,
        flags=tuple(_flags(plan, parts, wanted, harmless, uncertain)),
        sections=sections,
        last_score_at=parts.newest,
        last_review_at=last_review_at,
        next_review_at=_earlier(review, uncertain.revisit_by),
        unmeasured_at=unmeasured_at,
        gap_at=parts.created if gaps else unmeasured_at,
        stale_at=min((at + stale_after(name) for name, at in sections.items()), default=NEVER),
    )


@dataclass(frozen=True, slots=True)
class _Parts:
    """What of a plan and around it counts now."""

    open: Sequence[Resource]
    """Activities."""
    taking_part: Sequence[Resource]
    goals: Sequence[Resource]
    """Those that the plan names and that are pursued, or proposed."""
    taken: Sequence[Series]
    """Scores of measures that are still taken."""
    newest: datetime | None
    """When the newest score was taken."""
    created: datetime


def _parts(
    plan: Resource, team: Resource | None, goals: Iterable[Resource], scores: Sequence[Series], now: datetime
) -> _Parts:
    named = {reference_of(each) for each in plan.get("goal") or ()}
    newest = max((of.points[-1].at for of in scores if of.points), default=None)
    return _Parts(
        open=[each for each in plan.get("activity") or () if activity_status(each) not in ENDED],
        taking_part=[each for each in (team or {}).get("participant") or () if not ended(each, now)],
        goals=[
            goal
            for goal in goals
            if f"Goal/{goal['id']}" in named and goal.get("lifecycleStatus") in PURSUED_OR_PROPOSED
        ],
        taken=[of for of in scores if of.points and newest is not None and newest - of.points[-1].at <= STILL_TAKEN],
        newest=newest,
        created=moment(plan.get("created")) or now,
    )


def stale_after(section: str) -> timedelta:
    """How long the section of that name may stay untouched."""
    return STALE_AFTER[Section(section.partition(":")[0])][0]


def touched_sections(before: Resource | None, after: Resource | None) -> Iterator[str]:
    """The sections that one write of a CarePlan or of its CareTeam touches."""
    resource = after or before or {}
    if resource.get("resourceType") == "CareTeam":
        if (before or {}).get("participant") != (after or {}).get("participant"):
            yield Section.TEAM.value
        return
    if (before or {}).get("goal") != (after or {}).get("goal"):
        yield Section.GOALS.value
    was, is_ = (_by_discipline(each) for each in (before, after))
    for discipline in dict.fromkeys((*was, *is_)):
        if was.get(discipline) != is_.get(discipline):
            yield _activities_of(discipline)


def _by_discipline(plan: Resource | None) -> dict[str | None, list[Resource]]:
    found: dict[str | None, list[Resource]] = {}
    for activity in (plan or {}).get("activity") or ():
        found.setdefault(activity_discipline(activity), []).append(activity)
    return found


def _activities_of(discipline: str | None) -> str:
    return f"{Section.ACTIVITIES.value}:{discipline or 'all'}"


def _sections(plan: Resource, parts: _Parts, touched: Mapping[str, datetime], now: datetime) -> dict[str, datetime]:
    """When the sections that have something in them were touched."""
    stored = moment((plan.get("meta") or {}).get("lastUpdated")) or now
    names = [_activities_of(discipline) for discipline in dict.fromkeys(map(activity_discipline, parts.open))]
    names += [Section.GOALS.value] if parts.goals else []
    names += [Section.TEAM.value] if parts.taking_part else []
    return {name: touched.get(name, stored) for name in sorted(names)}


def _gaps(plan: Resource, parts: _Parts) -> Iterator[str]:
    patient = reference_of(plan.get("subject"))
    if not parts.goals:
        yield Gap.NO_GOAL.value
    if not any(reference_of(goal.get("expressedBy")) == patient for goal in parts.goals):
        yield Gap.NO_PATIENT_GOAL.value
    activities = plan.get("activity") or ()
    cared_for = {activity_discipline(each) for each in activities if activity_status(each) not in UNDONE}
    members = {code for each in parts.taking_part for code in disciplines_of_participant(each)}
    asked = {activity_discipline(each) for each in activities if activity_status(each) != "entered-in-error"}
    asked |= {discipline_of_goal(goal) for goal in parts.goals} | members
    for gap, lacking in (
        (Gap.NO_ACTIVITY, asked - cared_for),
        (Gap.NO_MEMBER, {activity_discipline(each) for each in parts.open} - members),
    ):
        yield from (f"{gap.value}:{discipline}" for discipline in _distinct(lacking - {SELF_CARE}))


def _uncertain_gaps(uncertain: Uncertain) -> Iterator[str]:
    if uncertain.undated:
        yield Gap.NO_REVISIT_DATE.value
    if uncertain.unflagged:
        yield Gap.NO_RED_FLAGS.value


def _flags(
    plan: Resource, parts: _Parts, wanted: Mapping[str, Decimal], harmless: bool | None, uncertain: Uncertain
) -> Iterator[str]:
    if harmless is False:
        yield Flag.SELF_HARM.value
    since = moment((plan.get("period") or {}).get("start"))
    for of in parts.taken:
        if proposal(of, wanted.get(of.measure.id)).step is Step.UP:
            yield f"{Flag.STEP_UP.value}:{of.measure.id}"
        course = change(of, since)
        if course is not None and course.response is Response.DETERIORATED:
            yield f"{Flag.DETERIORATED.value}:{of.measure.id}"
    if uncertain.overdue:
        yield Flag.REVISIT.value


def _next_review(parts: _Parts, wanted: Mapping[str, Decimal], reviewed: datetime | None) -> datetime:
    """When the plan is to be looked at next: as its scores have it, or a quarter after the last review."""
    if reviewed is not None and (parts.newest is None or reviewed >= parts.newest):
        return reviewed + ON_TARGET
    due = (proposal(of, wanted.get(of.measure.id)).review_due for of in parts.taken)
    return min((each for each in due if each is not None), default=parts.created + ON_TARGET)


def _earlier(review: datetime, revisit_by: date | None) -> datetime:
    """The plan is looked at when a diagnosis must be."""
    return review if revisit_by is None else min(review, datetime.combine(revisit_by, time.min, UTC))


def _distinct(values: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(sorted({value for value in values if value}))
