"""What coordinators look at: the plan as a whole."""

from dataclasses import dataclass
from datetime import datetime

from services.careplans.domain.codes import DISCIPLINE_SYSTEM, followed_task, is_shared_plan, reference_of
from services.careplans.domain.facts import activity_discipline, activity_status
from services.careplans.domain.telling import title_of
from services.careplans.store import shared_plans
from shared.engine import Engine
from shared.errors import NotFound
from shared.fhir.json import Resource, loads
from shared.reading import current
from shared.security.caller import Caller, Role
from shared.store import resources


@dataclass(frozen=True, slots=True)
class Activity:
    """One activity. ``task`` and ``reference`` are relative references; an activity of people may have neither."""

    id: str | None
    title: str | None
    reference: str | None
    task: str | None
    status: str | None
    discipline: str | None
    outcomes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """One participant of the team."""

    member: str | None
    discipline: str | None
    since: str | None
    until: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan with its activities and its team."""

    care_plan: str
    version: int
    status: str
    shared: bool
    patient: str | None
    care_team: str | None
    last_updated: datetime
    activities: tuple[Activity, ...]
    team: tuple[Member, ...]


async def shared_plan_of(engine: Engine, caller: Caller, patient: str) -> Plan:
    """The patient's current shared plan. Raises ``NotFound`` where there is none, or the caller may not see it."""
    require_view(caller, patient)
    shared = await shared_plans.find(engine.pool, patient)
    if shared is None:
        raise NotFound("This patient has no shared plan.")
    return await plan(engine, caller, shared.care_plan)


async def plan(engine: Engine, caller: Caller, plan_id: str) -> Plan:
    """One plan, shared or not. Raises ``NotFound`` or ``Gone``."""
    stored = await current(engine, caller, "CarePlan", plan_id)
    body: Resource = loads(stored.body)
    patient = reference_of(body.get("subject"))
    require_view(caller, patient)
    team_id = await shared_plans.team_of(engine.pool, plan_id)
    team = await resources.read(engine.pool, "CareTeam", team_id) if team_id else None
    has_team = team is not None and not team.deleted
    return Plan(
        care_plan=f"CarePlan/{stored.id}",
        version=stored.version,
        status=body["status"],
        shared=is_shared_plan(body),
        patient=patient,
        care_team=f"CareTeam/{team_id}" if has_team else None,
        last_updated=stored.last_updated,
        activities=tuple(_activity(entry) for entry in body.get("activity") or ()),
        team=tuple(_member(entry) for entry in loads(team.body).get("participant") or ()) if team and has_team else (),
    )


def require_view(caller: Caller, patient: str | None) -> None:
    """Patients see their own plan; that of another does not exist for them. Raises ``NotFound``."""
    if caller.role is Role.PATIENT and (patient is None or caller.fhir_user != patient):
        raise NotFound("No such plan.")


def _activity(entry: Resource) -> Activity:
    outcomes = (reference_of(outcome) for outcome in entry.get("outcomeReference") or ())
    return Activity(
        id=entry.get("id"),
        title=title_of(entry),
        reference=reference_of(entry.get("reference")),
        task=followed_task(entry),
        status=activity_status(entry),
        discipline=activity_discipline(entry),
        outcomes=tuple(outcome for outcome in outcomes if outcome),
    )


def _member(entry: Resource) -> Member:
    codings = (coding for role in entry.get("role") or () for coding in role.get("coding") or ())
    period = entry.get("period") or {}
    return Member(
        member=reference_of(entry.get("member")),
        discipline=next((coding.get("code") for coding in codings if coding.get("system") == DISCIPLINE_SYSTEM), None),
        since=period.get("start"),
        until=period.get("end"),
    )
