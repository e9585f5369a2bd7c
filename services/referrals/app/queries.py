"""What people look at: one referral as it stands, what may be done with it, and how it came there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest

from services.referrals.app.actions import AvailableAction, shown
from services.referrals.app.lookup import related_to, require_view
from services.referrals.domain.availability import available
from services.referrals.domain.discipline import discipline_of
from services.referrals.domain.marks import acknowledged, returned, successor
from services.referrals.domain.references import target
from services.referrals.domain.referral import outputs
from services.referrals.domain.rerouting import replaces
from services.referrals.domain.states import state_of
from services.referrals.store import moments
from services.referrals.store.moments import Moment
from shared.engine import Engine
from shared.fhir.json import Resource, loads
from shared.reading import current
from shared.security.caller import Caller
from shared.store.resources import Stored


@dataclass(frozen=True, slots=True)
class Referral:
    """A referral as it stands. References are relative; the clinical content is read over FHIR."""

    task: str
    version: int
    status: str
    business_status: str | None
    reason: str | None
    discipline: str | None
    priority: str | None
    patient: str | None
    service_request: str | None
    requester: str | None
    owner: str | None
    outputs: tuple[str, ...]
    returned_at: str | None
    """Since when it is back at the requester with questions, which are in ``Task.note``."""
    report_acknowledged_at: str | None
    replaces: str | None
    """The referral to somebody else in whose place it was sent."""
    replaced_by: str | None
    authored_on: str | None
    last_updated: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """A referral and what the caller may do with it."""

    referral: Referral
    available_actions: tuple[AvailableAction, ...]


@dataclass(frozen=True, slots=True)
class Spell:
    """A time in one state, without a break; ``until`` is None for the present one."""

    status: str
    business_status: str | None
    since: datetime
    until: datetime | None
    seconds: float
    """So far, where it lasts."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """What happened to a referral, oldest first, and how long it was in each state."""

    moments: tuple[Moment, ...]
    spells: tuple[Spell, ...]


async def standing(engine: Engine, caller: Caller, task_id: str) -> Standing:
    """One referral. Raises ``NotFound`` (also where the caller may not see it) or ``Gone``."""
    return await standing_in(engine, caller, await current(engine, caller, "Task", task_id))


async def standing_in(engine: Engine, caller: Caller, stored: Stored) -> Standing:
    """One referral in the version ``stored`` of its Task. Raises ``NotFound`` where the caller may not see it."""
    task = loads(stored.body)
    require_view(caller, task)
    related = await related_to(engine.pool, task)
    return Standing(view(task, related), tuple(map(shown, available(task, caller, related))))


async def timeline(engine: Engine, caller: Caller, task_id: str, *, limit: int) -> Timeline:
    """The newest ``limit`` moments of a referral. Raises ``NotFound`` or ``Gone``."""
    require_view(caller, loads((await current(engine, caller, "Task", task_id)).body))
    found = await moments.of(engine.pool, task_id, limit=limit)
    return Timeline(tuple(found), spells(found, engine.clock()))


def spells(found: Sequence[Moment], now: datetime) -> tuple[Spell, ...]:
    """The times in each state, of moments in order."""
    starts: list[Moment] = []
    for moment in found:
        state = (moment.status, moment.business_status)
        if moment.status is not None and (not starts or (starts[-1].status, starts[-1].business_status) != state):
            starts.append(moment)
    ends = [start.at for start in starts[1:]]
    return tuple(
        Spell(start.status or "", start.business_status, start.at, end, ((end or now) - start.at).total_seconds())
        for start, end in zip_longest(starts, ends)
    )


def view(task: Resource, related: Mapping[str, Resource]) -> Referral:
    """The referral that ``task``, as it was stored, is."""
    state, meta = state_of(task), task["meta"]
    return Referral(
        task=f"Task/{task['id']}",
        version=int(meta["versionId"]),
        status=state.status,
        business_status=state.business,
        reason=_reason(task),
        discipline=discipline_of(task, related),
        priority=task.get("priority"),
        patient=target(task.get("for")),
        service_request=target(task.get("focus")),
        requester=target(task.get("requester")),
        owner=target(task.get("owner")),
        outputs=outputs(task),
        returned_at=returned(task),
        report_acknowledged_at=acknowledged(task),
        replaces=replaces(task),
        replaced_by=successor(task),
        authored_on=task.get("authoredOn"),
        last_updated=datetime.fromisoformat(meta["lastUpdated"]),
    )


def _reason(task: Resource) -> str | None:
    text: str | None = (task.get("statusReason") or {}).get("text")
    return text
