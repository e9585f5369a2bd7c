"""Referral events as careplans hears them, and what it holds afterwards."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from services.careplans.events.incoming import referrals
from services.careplans.store import shared_plans
from shared.clock import instant
from shared.contracts.referrals import ReferralEvent, ReferralV1
from shared.engine import Engine
from shared.fhir.json import Resource, loads
from shared.ids import uuid7
from shared.messaging import envelope
from shared.messaging.envelope import Event, new_event
from shared.security.caller import Caller, Role
from shared.store import resources
from shared.unit_of_work import unit_of_work
from tests.factories.resources import patient

SYSTEM = Caller("ehr", Role.SYSTEM)
NOON = datetime(2025, 3, 4, 12, tzinfo=UTC)

STEPS: dict[str, tuple[int, str, str | None]] = {
    "requested": (1, "requested", None),
    "received": (2, "received", "2.0"),
    "accepted": (3, "accepted", "3.0"),
    "scheduled": (4, "in-progress", "5.1.1"),
    "completed": (5, "completed", "7.0"),
    "declined": (3, "rejected", "4.0"),
    "cancelled": (6, "cancelled", "6.0"),
}
"""What happened -> Task version, status, business status."""


@dataclass(frozen=True)
class Referral:
    """One referral, whose events a test tells."""

    patient: str
    discipline: str = "mental-health"
    owner: str = "Organization/clinic"
    task: str = field(default_factory=lambda: f"Task/{uuid7()}")
    service_request: str = field(default_factory=lambda: f"ServiceRequest/{uuid7()}")

    def event(self, happened: str, **more: Any) -> Event:
        version, status, business_status = STEPS[happened]
        at = NOON + timedelta(hours=version)
        payload = ReferralV1(
            **{
                "task": self.task,
                "version": version,
                "status": status,
                "business_status": business_status,
                "service_request": self.service_request,
                "patient": self.patient,
                "discipline": self.discipline,
                "owner": self.owner,
                "occurred_at": instant(at),
            }
            | more
        )
        type_ = ReferralEvent(f"referral.{happened}.v1")
        return new_event(id=uuid7(), service="referrals", type=type_, subject=self.task, at=at, payload=payload)


async def hear(engine: Engine, *events: Event) -> None:
    """Handle the events one after the other."""
    handle = referrals(engine)
    for event in events:
        await handle(event)


async def store(engine: Engine, resource: Resource, *, id: str | None = None) -> str:
    """Store a resource; its reference."""
    async with unit_of_work(engine, SYSTEM) as work:
        stored = await work.create(resource, id=id)
        await work.commit()
    return f"{stored.type}/{stored.id}"


async def new_patient(engine: Engine) -> str:
    return await store(engine, patient())


async def shared_plan(engine: Engine, of: str) -> Resource:
    """The patient's current shared plan."""
    shared = await shared_plans.find(engine.pool, of)
    assert shared is not None
    return await _read(engine, "CarePlan", shared.care_plan)


async def shared_team(engine: Engine, of: str) -> Resource:
    """The team of the patient's current shared plan."""
    shared = await shared_plans.find(engine.pool, of)
    assert shared is not None
    return await _read(engine, "CareTeam", shared.care_team)


async def told(engine: Engine) -> list[Event]:
    """Everything in the outbox, in order; but for what copies are kept by."""
    rows = await engine.pool.fetch("SELECT envelope FROM outbox WHERE type NOT LIKE 'record.%' ORDER BY seq")
    return [envelope.decode(row["envelope"]) for row in rows]


async def plans_of(engine: Engine, patient_: str) -> int:
    """How many CarePlans the patient has."""
    bodies = await engine.pool.fetch("SELECT body FROM resource WHERE type = 'CarePlan' AND NOT deleted")
    return sum(loads(row["body"])["subject"]["reference"] == patient_ for row in bodies)


async def _read(engine: Engine, type_: str, id_: str) -> Resource:
    stored = await resources.read(engine.pool, type_, id_)
    assert stored is not None
    body: Resource = loads(stored.body)
    return body
