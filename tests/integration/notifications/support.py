"""What the tests of notifications share: events to hear, letters to send, rows to look at."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from services.notifications.domain.delivery import Letter
from services.notifications.domain.preferences import Channel, Preference
from services.notifications.events.incoming import hear
from services.notifications.store import preferences
from shared.contracts.careplans import CarePlanV1
from shared.contracts.notifications import NotificationV1
from shared.contracts.referrals import ReferralV1
from shared.engine import Engine
from shared.fhir.json import loads
from shared.ids import uuid7
from shared.messaging.envelope import Event, new_event
from shared.store.database import Pool

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
STAMP = "2026-03-01T09:00:00.000Z"
LIND, MOSS, FAR = "Practitioner/lind", "Practitioner/moss", "Practitioner/far"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def referral(step: str = "accepted", *, id: str | None = None, **more: Any) -> Event:
    """An event about a referral by Lind to Moss."""
    values: dict[str, Any] = {
        "task": "Task/t1",
        "version": 2,
        "status": "accepted",
        "service_request": "ServiceRequest/s1",
        "patient": "Patient/p1",
        "discipline": "mental-health",
        "requester": LIND,
        "owner": MOSS,
        "occurred_at": STAMP,
    }
    payload = ReferralV1(**values | more)
    type_ = f"referral.{step}.v1"
    return new_event(id=id or uuid7(), service="referrals", type=type_, subject=payload.task, at=AT, payload=payload)


def plan(step: str = "activity-changed", **more: Any) -> Event:
    """An event about the shared plan."""
    values: dict[str, Any] = {
        "care_plan": "CarePlan/c1",
        "version": 2,
        "patient": "Patient/p1",
        "discipline": "mental-health",
        "activity": "ServiceRequest/s1",
        "occurred_at": STAMP,
    }
    payload = CarePlanV1(**values | more)
    type_ = f"careplan.{step}.v1"
    return new_event(id=uuid7(), service="careplans", type=type_, subject=payload.care_plan, at=AT, payload=payload)


async def hears(engine: Engine, *events: Event) -> None:
    """The service handles ``events`` in this order."""
    handle: Callable[[Event], Awaitable[None]] = hear(engine)
    for event in events:
        await handle(event)


async def prefers(engine: Engine, receiver: str, channel: Channel, address: str, *, enabled: bool = True) -> None:
    """A preference, with the tests' secret for webhooks."""
    secret = SECRET if channel is Channel.WEBHOOK else None
    await preferences.put(engine.pool, Preference(receiver, channel, enabled), address, secret, engine.clock())


def letter(address: str, *, id: str = "0198c0de-0000-7000-8000-00000000000a", secret: str | None = SECRET) -> Letter:
    """A letter on its way to ``address``."""
    text = "A referral to mental health was accepted."
    return Letter(id, "e1", "referral.accepted.v1", "Communication/c1", text, "Task/t1", AT, address, secret)


async def deliveries(pool: Pool) -> list[dict[str, Any]]:
    """All deliveries, by receiver and channel."""
    return [dict(row) for row in await pool.fetch("SELECT * FROM delivery ORDER BY receiver, channel, id")]


async def attempts(pool: Pool) -> list[tuple[int, str | None, str | None, int | None]]:
    """The delivery log: attempt, verdict, reason, code."""
    rows = await pool.fetch("SELECT attempt, verdict, reason, code FROM delivery_attempt ORDER BY started_at")
    return [(row[0], row[1], row[2], row[3]) for row in rows]


async def communications(pool: Pool) -> list[dict[str, Any]]:
    """All Communications, by recipient."""
    rows = await pool.fetch("SELECT body FROM resource WHERE type = 'Communication' AND NOT deleted")
    return sorted((loads(row[0]) for row in rows), key=lambda one: str(one["recipient"]))


async def said(pool: Pool) -> list[tuple[str, NotificationV1]]:
    """The events in the outbox."""
    rows = await pool.fetch("SELECT type, envelope FROM outbox ORDER BY seq")
    return [(row[0], NotificationV1.model_validate(loads(row[1])["data"])) for row in rows]
