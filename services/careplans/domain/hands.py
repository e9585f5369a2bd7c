"""Whose part of the shared plan is whose, and who may change it: role, discipline and care-team membership.

Every activity, goal and participant belongs to a discipline, or to all. Coordinators and back ends change everything;
clinicians what is their discipline's, or everybody's; a patient their own self-care. A clinician has the disciplines in
which they, or their organization, take part in the team; who does not take part has that of their token, as long as
nobody takes part for it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.careplans.domain.codes import (
    ACTIVITY_DISCIPLINE,
    DISCIPLINE_SYSTEM,
    GOAL_DISCIPLINE,
    extension_value,
    plan_of_team,
    reference_of,
)
from services.careplans.domain.merging import Difference, differences
from services.careplans.domain.places import Activities, activities_by_place, place_of, places_of
from shared.errors import Forbidden, Unprocessable
from shared.fhir.json import Resource
from shared.security.caller import Caller, Role

SELF_CARE = "self-care"
"""The discipline of what the patient does, and nobody else."""
EVERYTHING = frozenset({Role.COORDINATOR, Role.SYSTEM})
"""The roles that may change every part."""


@dataclass(frozen=True, slots=True)
class Hands:
    """What one caller may touch. ``disciplines`` are None for all."""

    disciplines: frozenset[str] | None
    references: frozenset[str] = frozenset()
    """What stands for the caller as the author of a note."""
    patient: bool = False

    def require_part(self) -> None:
        """Raises ``Forbidden`` for a caller who may change nothing."""
        if self.disciplines is not None and not self.disciplines:
            raise Forbidden("The caller has no part in this plan.", expression=("CarePlan.careTeam",))

    def own(self, discipline: str | None) -> bool:
        """Whether a part of ``discipline`` (None: everybody's) is for this caller to change."""
        if self.disciplines is None:
            return True
        if discipline is None:
            return bool(self.disciplines) and not self.patient
        return discipline in self.disciplines


def team_of(plan: Resource, related: Mapping[str, Resource]) -> Resource | None:
    """The plan's own team among what was looked up: a team that merely names itself in the plan gives no rights."""
    for each in plan.get("careTeam") or ():
        team = related.get(reference_of(each) or "")
        if team is not None and plan_of_team(team) == f"CarePlan/{plan['id']}":
            return team
    return None


def hands_of(caller: Caller, team: Resource | None, patient: str | None, now: datetime) -> Hands:
    """What ``caller`` may touch in the plan of ``patient`` with that ``team``."""
    if caller.role in EVERYTHING:
        return Hands(None)
    if caller.role is Role.PATIENT:
        own = caller.fhir_user is not None and caller.fhir_user == patient
        return Hands(frozenset({SELF_CARE}) if own else frozenset(), caller.references, patient=True)
    taking_part = [each for each in (team or {}).get("participant") or () if not ended(each, now)]
    disciplines = {code for each in taking_part if _is(caller, each) for code in disciplines_of_participant(each)}
    taken = {code for each in taking_part for code in disciplines_of_participant(each)}
    if caller.discipline is not None and (caller.discipline not in taken or any(_is(caller, p) for p in taking_part)):
        disciplines.add(caller.discipline.value)
    return Hands(frozenset(disciplines), caller.references)


def check_plan(before: Resource, after: Resource, hands: Hands, goals: Mapping[str, Resource]) -> Resource:
    """``after``, where what the caller adds without a discipline is of theirs.

    Raises ``Forbidden`` with the paths of what is not theirs to change; ``Unprocessable`` where a new activity has to
    say to which of their disciplines it belongs."""
    after = claimed(before, after, hands)
    versions = tuple(map(activities_by_place, (before, after)))
    refused = [each.path for each in differences(before, after) if not _may(each, versions, hands, goals)]
    if refused:
        text = "This part of the plan belongs to another discipline."
        raise Forbidden(text, expression=tuple(dict.fromkeys(refused)))
    return after


def check_team(before: Resource, after: Resource, hands: Hands) -> None:
    """Raises ``Forbidden`` where a participant of another discipline is added, changed or taken out."""
    old, new = ({each.get("id"): each for each in team.get("participant") or ()} for team in (before, after))
    for id_ in dict.fromkeys((*old, *new)):
        versions = [each for each in (old.get(id_), new.get(id_)) if each is not None]
        if len(versions) == 2 and versions[0] == versions[1]:
            continue
        for participant in versions:
            codes = disciplines_of_participant(participant)
            if not (all(map(hands.own, codes)) if codes else hands.own(None)):
                path = place_of("CareTeam.participant", id_)
                raise Forbidden("This participant belongs to another discipline.", expression=(path,))


def disciplines_of_participant(participant: Resource) -> list[str]:
    """For what somebody takes part."""
    codings = (coding for role in participant.get("role") or () for coding in role.get("coding") or ())
    return [coding["code"] for coding in codings if coding.get("system") == DISCIPLINE_SYSTEM and "code" in coding]


def ended(participant: Resource, now: datetime) -> bool:
    """Whether somebody takes part no more."""
    end = (participant.get("period") or {}).get("end")
    # a date is over when the day is; both compare as text in UTC, which is how the service writes them
    return isinstance(end, str) and end[:10] < now.date().isoformat()


def _is(caller: Caller, participant: Resource) -> bool:
    return reference_of(participant.get("member")) in caller.references


def claimed(before: Resource, after: Resource, hands: Hands) -> Resource:
    """``after`` with the caller's discipline on what they added without any. Its activities have ids.

    Raises ``Forbidden`` for a caller without a part in the plan, ``Unprocessable`` as ``check_plan``."""
    if hands.disciplines is None:
        return after
    hands.require_part()
    known = {each.get("id") for each in before.get("activity") or ()}
    activities = list(after.get("activity") or ())
    for place, activity in enumerate(activities):
        if activity["id"] in known or extension_value(activity, ACTIVITY_DISCIPLINE) is not None:
            continue
        if len(hands.disciplines) != 1:
            text = "Say to which discipline this activity belongs (extension activity-discipline)."
            raise Unprocessable(text, code="required", expression=(f"CarePlan.activity[{place}].extension",))
        (discipline,) = hands.disciplines
        owner = {"url": ACTIVITY_DISCIPLINE, "valueCode": discipline}
        activities[place] = activity | {"extension": [*(activity.get("extension") or ()), owner]}
    return after | {"activity": activities} if activities != list(after.get("activity") or ()) else after


def _may(change: Difference, versions: Iterable[Activities], hands: Hands, goals: Mapping[str, Resource]) -> bool:
    element = change.path.removeprefix("CarePlan.").partition(".")[0]
    if element == "activity":
        return all(hands.own(discipline) for discipline in _owners(change.path, versions))
    if element == "goal":
        named = {reference_of(each) for each in (change.before, change.after)} - {None}
        return all(hands.own(discipline_of_goal(goals.get(name or ""))) for name in named)
    if element == "note":
        return hands.disciplines is None or (bool(hands.disciplines) and _own_word(change, hands))
    return hands.own(None)


def _own_word(change: Difference, hands: Hands) -> bool:
    """Whether it adds a note, in the caller's own name: taking one away would lose somebody's word."""
    author = reference_of((change.after or {}).get("authorReference"))
    return change.before is None and (author is None or author in hands.references)


def discipline_of_goal(goal: Resource | None) -> str | None:
    """To whom a goal belongs; None: to all."""
    value = extension_value(goal or {}, GOAL_DISCIPLINE)
    return value if isinstance(value, str) else None


def _owners(path: str, versions: Iterable[Activities]) -> Iterator[str | None]:
    """Whose the activity in ``path`` was and is; of the order of all, everybody's."""
    places = list(places_of(path))
    found = [activities[place] for activities in versions for place in places if place in activities]
    if not found:
        yield None
    for activity in found:
        value: Any = extension_value(activity, ACTIVITY_DISCIPLINE)
        yield value if isinstance(value, str) else None
