"""What can be asked: whose messages a caller sees, the messages, the deliveries and their log."""

from dataclasses import dataclass
from datetime import datetime

from services.notifications.domain.receivers import COORDINATORS, everyone_of
from services.notifications.store import stream
from services.notifications.store.stream import Entry
from shared.security.caller import Caller, Role
from shared.store.database import Pool

_DELIVERIES = """
SELECT id, communication, event_id, type, receiver, channel, status, attempts, due_at, reason, created_at, settled_at
FROM delivery WHERE status = $1 AND ($2::text IS NULL OR id < $2) ORDER BY id DESC LIMIT $3
"""
_ATTEMPTS = """
SELECT attempt, started_at, ended_at, verdict, reason, code FROM delivery_attempt
WHERE delivery = $1 ORDER BY started_at
"""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery as coordinators see it: everything but the address."""

    id: str
    communication: str
    event_id: str
    type: str
    receiver: str
    channel: str
    status: str
    attempts: int
    due_at: datetime | None
    reason: str | None
    created_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One line of the delivery log."""

    attempt: int
    started_at: datetime
    ended_at: datetime | None
    verdict: str | None
    reason: str | None
    code: int | None


def receivers_of(caller: Caller) -> frozenset[str]:
    """Whose messages ``caller`` sees: their references', staff their discipline's, coordinators the coordinators'."""
    found = set(caller.references)
    if caller.role is Role.COORDINATOR:
        found.add(COORDINATORS)
    if caller.role in (Role.COORDINATOR, Role.CLINICIAN) and caller.discipline is not None:
        found.add(everyone_of(caller.discipline.value))
    return frozenset(found)


async def messages(pool: Pool, caller: Caller, *, before: int | None, limit: int) -> list[Entry]:
    """The caller's messages below ``before``, newest first."""
    return await stream.own_newest(pool, receivers_of(caller), before, limit)


async def deliveries(pool: Pool, status: str, *, before: str | None, limit: int) -> list[Delivery]:
    """Deliveries in ``status`` with an id below ``before``, newest first."""
    return [Delivery(*row) for row in await pool.fetch(_DELIVERIES, status, before, limit)]


async def attempts(pool: Pool, delivery: str) -> list[Attempt]:
    """The log of one delivery; empty for one that is not there."""
    return [Attempt(*row) for row in await pool.fetch(_ATTEMPTS, delivery)]
