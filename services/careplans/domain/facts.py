"""What happened to a plan or its team, found by comparing two versions: the same facts for every way in."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from services.careplans.domain.codes import (
    ACTIVITY_DISCIPLINE,
    ACTIVITY_STATUS,
    extension_value,
    is_shared_plan,
    plan_of_team,
    reference_of,
)
from shared.fhir.json import Resource

UNCOMPARED = frozenset({"resourceType", "id", "meta"})


class What(StrEnum):
    """The kinds of facts."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    ACTIVITY_ADDED = "activity-added"
    ACTIVITY_CHANGED = "activity-changed"
    TEAM_CHANGED = "team-changed"


@dataclass(frozen=True, slots=True)
class PlanFact:
    """One fact. References are relative; ``changed`` names top-level elements."""

    what: What
    plan: str | None = None
    """The plan, where the changed resource is not the plan itself but its team."""
    patient: str | None = None
    care_team: str | None = None
    status: str | None = None
    changed: tuple[str, ...] = ()
    activity: str | None = None
    activity_status: str | None = None
    discipline: str | None = None


def changed_elements(before: Resource, after: Resource) -> tuple[str, ...]:
    """The names of the top-level elements that differ, sorted; ``id`` and ``meta`` do not count."""
    names = (before.keys() | after.keys()) - UNCOMPARED
    return tuple(sorted(name for name in names if before.get(name) != after.get(name)))


def plan_facts(before: Resource | None, after: Resource | None) -> tuple[PlanFact, ...]:
    """The facts of one write of a CarePlan: first what happened to the plan, then to each activity of a shared plan."""
    return tuple(_plan_facts(before, after))


def _plan_facts(before: Resource | None, after: Resource | None) -> Iterator[PlanFact]:
    if after is None:
        yield _about(before or {}, What.DELETED)
        return
    if before is None:
        yield _about(after, What.CREATED, changed=tuple(sorted(after.keys() - UNCOMPARED)))
    else:
        yield _about(after, What.UPDATED, changed=changed_elements(before, after))
    if is_shared_plan(after):
        yield from _activity_facts(before or {}, after)


def _activity_facts(before: Resource, after: Resource) -> Iterator[PlanFact]:
    known = dict(_keyed(before.get("activity") or ()))
    for key, activity in _keyed(after.get("activity") or ()):
        earlier = known.get(key)
        if earlier == activity:
            continue
        yield _about(
            after,
            What.ACTIVITY_ADDED if earlier is None else What.ACTIVITY_CHANGED,
            changed=tuple(sorted(activity)) if earlier is None else changed_elements(earlier, activity),
            activity=reference_of(activity.get("reference")),
            activity_status=activity_status(activity),
            discipline=activity_discipline(activity),
        )


def team_facts(before: Resource | None, after: Resource | None) -> tuple[PlanFact, ...]:
    """The facts of one write of a CareTeam: only a shared plan's team has any, and only when it differs."""
    plan = plan_of_team(after)
    if after is None or plan is None:
        return ()
    changed = changed_elements(before or {}, after)
    if not changed:
        return ()
    return (PlanFact(What.TEAM_CHANGED, plan, patient=reference_of(after.get("subject")), changed=changed),)


def activity_status(activity: Resource) -> str | None:
    """The activity's status: ours, or that of its detail."""
    value = extension_value(activity, ACTIVITY_STATUS) or (activity.get("detail") or {}).get("status")
    return value if isinstance(value, str) else None


def activity_discipline(activity: Resource) -> str | None:
    """The discipline that the activity belongs to, where it says."""
    value = extension_value(activity, ACTIVITY_DISCIPLINE)
    return value if isinstance(value, str) else None


def _keyed(activities: Iterable[Resource]) -> Iterator[tuple[str, Resource]]:
    """Activities that can be told apart, by element id or by what they refer to. Others have no facts of their own."""
    for activity in activities:
        key = activity.get("id") or reference_of(activity.get("reference"))
        if key:
            yield key, activity


def _about(
    plan: Resource,
    what: What,
    *,
    changed: tuple[str, ...] = (),
    activity: str | None = None,
    activity_status: str | None = None,
    discipline: str | None = None,
) -> PlanFact:
    teams = [reference for team in plan.get("careTeam") or () if (reference := reference_of(team))]
    return PlanFact(
        what,
        patient=reference_of(plan.get("subject")),
        care_team=teams[0] if teams else None,
        status=plan.get("status"),
        changed=changed,
        activity=activity,
        activity_status=activity_status,
        discipline=discipline,
    )
