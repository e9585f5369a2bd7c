"""From an activity to its request, Task and reports, and to what the measures did meanwhile.

What lies in the time of an activity is associated with it, and need not be its effect: every sentence says so, and
tells how many other activities were open at the same time. What is not known has no number, and a reason."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from services.careplans.domain.codes import followed_task, reference_of
from services.careplans.domain.facts import activity_discipline, activity_status
from services.careplans.domain.measures.measure import Measure, Source
from services.careplans.domain.measures.response import Response, classify
from services.careplans.domain.measures.series import Point, Series
from services.careplans.domain.measures.units import as_decimal
from services.careplans.domain.referral import Referral
from services.careplans.domain.telling import title_of
from shared.fhir.json import Resource

FOLLOWED_FOR = timedelta(weeks=13)
"""Scores count for so long after an activity has ended."""
SOURCE = Source("Project default, for a clinician to sign off", 2026)
BEGUN = frozenset({"in-progress", "completed"})
ENDED = frozenset({"completed", "cancelled", "stopped", "entered-in-error"})


class About(StrEnum):
    """What a measure speaks of."""

    FUNCTION = "function"
    PAIN = "pain"
    MOOD = "mood"
    SLEEP = "sleep"
    THOUGHTS = "thoughts"
    RISK = "risk"


ABOUT: Mapping[str, frozenset[About]] = {
    "peg": frozenset({About.PAIN, About.FUNCTION}),
    "pain-nrs": frozenset({About.PAIN}),
    "odi": frozenset({About.FUNCTION}),
    "start-back": frozenset({About.RISK}),
    "ort": frozenset({About.RISK}),
    "phq-9": frozenset({About.MOOD}),
    "gad-7": frozenset({About.MOOD}),
    "isi": frozenset({About.SLEEP}),
    "pcs": frozenset({About.THOUGHTS}),
    "tsk-11": frozenset({About.THOUGHTS}),
    "promis-29-pain-interference": frozenset({About.PAIN, About.FUNCTION}),
    "promis-29-physical-function": frozenset({About.FUNCTION}),
    "promis-29-fatigue": frozenset({About.SLEEP}),
    "promis-29-sleep-disturbance": frozenset({About.SLEEP}),
    "promis-29-depression": frozenset({About.MOOD}),
    "promis-29-anxiety": frozenset({About.MOOD}),
    "promis-29-social-roles": frozenset({About.FUNCTION}),
}
"""Of the PEG two of three items ask about function (enjoyment of life, general activity)."""


class Unknown(StrEnum):
    """Why there is no change to tell."""

    NOT_BEGUN = "not-begun"
    NO_SCORE_BEFORE = "no-score-before"
    NO_SCORE_SINCE = "no-score-since"


@dataclass(frozen=True, slots=True)
class State:
    """An activity's status from a moment on."""

    status: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """One measure in the time of one activity: the last score before it began, the first since, and the latest."""

    measure: Measure
    before: Point | None
    first: Point | None
    latest: Point | None
    response: Response | None
    """None where something is unknown, or no threshold is published."""
    source: Source | None
    unknown: Unknown | None
    says: str


@dataclass(frozen=True, slots=True)
class Link:
    """One activity of the plan. References are relative; those of other services are named, not fetched."""

    activity: str | None
    title: str | None
    request: str | None
    task: str | None
    discipline: str | None
    status: str | None
    states: tuple[State, ...]
    begun: datetime | None
    ended: datetime | None
    reports: tuple[str, ...]
    beside: tuple[str, ...]
    """Ids of other activities that were open in the same time."""
    measures: tuple[Meanwhile, ...]


def chain(
    versions: Sequence[tuple[datetime, Resource]], referrals: Iterable[Referral], scores: Iterable[Series]
) -> tuple[Link, ...]:
    """The links of the newest of ``versions`` of a plan, which are oldest first and at least one."""
    plan = versions[-1][1]
    by_task = {referral.task: referral for referral in referrals}
    rows = list(scores)
    bare = [_bare(each, _states(each, versions, by_task)) for each in plan.get("activity") or ()]
    return tuple(_with_measures(link, bare, rows) for link in bare)


def _bare(activity: Resource, states: tuple[State, ...]) -> Link:
    task, reference = followed_task(activity), reference_of(activity.get("reference"))
    outcomes = (reference_of(each) for each in activity.get("outcomeReference") or ())
    begun = next((state.at for state in states if state.status in BEGUN), None)
    over = states[-1].at if states and states[-1].status in ENDED else None
    return Link(
        activity=activity.get("id"),
        title=title_of(activity),
        request=None if reference == task else reference,
        task=task,
        discipline=activity_discipline(activity),
        status=activity_status(activity),
        states=states,
        begun=begun,
        ended=over,
        reports=tuple(dict.fromkeys(each for each in outcomes if each)),
        beside=(),
        measures=(),
    )


def _states(
    activity: Resource, versions: Sequence[tuple[datetime, Resource]], referrals: Mapping[str, Referral]
) -> tuple[State, ...]:
    """Each status from when it was first so; of a referral also its acceptance, with which nothing has begun yet."""
    found: list[State] = []
    for at, plan in versions:
        same = next((each for each in plan.get("activity") or () if _key(each) == _key(activity)), None)
        status = None if same is None else activity_status(same)
        if status is not None and (not found or found[-1].status != status):
            found.append(State(status, at))
    referral = referrals.get(followed_task(activity) or "")
    if referral is not None and referral.accepted_at is not None:
        found.append(State("accepted", referral.accepted_at))
    return tuple(sorted(found, key=lambda state: state.at))


def _key(activity: Resource) -> str | None:
    return activity.get("id") or reference_of(activity.get("reference"))


def _with_measures(link: Link, all_: Sequence[Link], scores: Iterable[Series]) -> Link:
    beside = tuple(
        other.activity or other.request or "" for other in all_ if other is not link and _overlap(link, other)
    )
    found = (_meanwhile(of, link, len(beside)) for of in scores if of.points)
    return replace(link, beside=beside, measures=tuple(found))


def _overlap(one: Link, other: Link) -> bool:
    if one.begun is None or other.begun is None:
        return False
    return (other.ended is None or other.ended > one.begun) and (one.ended is None or one.ended > other.begun)


def _meanwhile(of: Series, link: Link, beside: int) -> Meanwhile:
    measure = of.measure
    if link.begun is None:
        return _unknown(measure, None, Unknown.NOT_BEGUN, "The activity has not begun, as far as is known.")
    until = None if link.ended is None else link.ended + FOLLOWED_FOR
    before = next((point for point in reversed(of.points) if point.at <= link.begun), None)
    since = [point for point in of.points if point.at > link.begun and (until is None or point.at <= until)]
    if not since:
        text = f"No score of {measure.title} since the activity began"
        text += "." if until is None else f", until {FOLLOWED_FOR.days // 7} weeks after it ended."
        return _unknown(measure, before, Unknown.NO_SCORE_SINCE, text)
    if before is None:
        text = f"No score of {measure.title} from before the activity began: there is nothing to compare with."
        return Meanwhile(measure, None, since[0], since[-1], None, None, Unknown.NO_SCORE_BEFORE, text)
    response, source = classify(measure, before.value, since[-1].value)
    says = _says(measure, before, since[-1], response, beside)
    return Meanwhile(measure, before, since[0], since[-1], response, source, None, says)


def _unknown(measure: Measure, before: Point | None, why: Unknown, text: str) -> Meanwhile:
    return Meanwhile(measure, before, None, None, None, None, why, text)


def _says(measure: Measure, before: Point, latest: Point, response: Response | None, beside: int) -> str:
    was, is_ = (f"{as_decimal(point.value)} ({point.at:%Y-%m-%d})" for point in (before, latest))
    classed = f"class {response.value}" if response else "no class: no threshold is published"
    others = {0: "no other activity was", 1: "one other activity was"}.get(beside, f"{beside} other activities were")
    return (
        f"{measure.title} went from {was} to {is_}, {classed}. This happened in the time of the activity, and need not"
        f" be its effect; {others} under way in that time."
    )
