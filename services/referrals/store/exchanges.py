"""Referrals that are carried on with other systems: put down once, in the hands of one attempt at a time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum

from shared.store.database import Connection, Pool

LEASE = timedelta(seconds=90)
"""How long an attempt has it in hand: longer than all of its requests may take."""


class Stands(StrEnum):
    """How an exchange stands."""

    WAITING = "waiting"
    """The other side has yet to get it."""
    GOING_ON = "going-on"
    ENDED = "ended"
    GIVEN_UP = "given-up"
    """Until the Task changes."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One referral at one endpoint; the columns are told in ``tables``."""

    task: str
    endpoint: str
    address: str
    organization: str | None
    practitioner: str | None
    agreed: str
    version: int
    looked: int
    order_looked: int
    leaving: bool
    remote_order: str | None
    remote_task: str | None
    remote_version: str | None
    looks: int
    attempts: int
    failures: int
    failing_since: datetime | None
    trouble: str | None
    state: str
    next_at: datetime | None
    holder: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class New:
    """An exchange to put down."""

    task: str
    endpoint: str
    address: str
    organization: str | None
    practitioner: str | None
    agreed: str
    version: int


_NAMES = [field.name for field in fields(Exchange)]
_COLUMNS = ", ".join(_NAMES)
_SETTLED = (
    "agreed looked order_looked remote_order remote_task remote_version looks failures failing_since trouble state"
).split()

_PUT_DOWN = """
INSERT INTO referral_exchange (task, endpoint, address, organization, practitioner, agreed, version, state, next_at,
    created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting', $8, $8)
ON CONFLICT (task, endpoint) DO UPDATE SET address = EXCLUDED.address, organization = EXCLUDED.organization,
    practitioner = EXCLUDED.practitioner, version = EXCLUDED.version, leaving = false, next_at = EXCLUDED.next_at
"""

# what was given up is tried again when somebody does something about it
_MOVED = """
UPDATE referral_exchange e SET version = m.version, next_at = CASE WHEN $4 THEN $3::timestamptz ELSE next_at END,
    failures = CASE WHEN e.state = 'given-up' THEN 0 ELSE failures END,
    failing_since = CASE WHEN e.state = 'given-up' THEN NULL ELSE failing_since END,
    state = CASE WHEN e.state <> 'given-up' THEN e.state WHEN remote_task IS NULL THEN 'waiting' ELSE 'going-on' END
FROM unnest($1::text[], $2::int[]) AS m(task, version) WHERE e.task = m.task
"""

_LEAVE = """
UPDATE referral_exchange SET leaving = true, next_at = $3
WHERE task = $1 AND endpoint <> ALL ($2::text[]) AND NOT leaving
"""

_CLAIM = f"""
WITH due AS (
    SELECT task, endpoint FROM referral_exchange
    WHERE next_at <= $1 AND (held_until IS NULL OR held_until <= $1)
    ORDER BY next_at LIMIT $2 FOR UPDATE SKIP LOCKED)
UPDATE referral_exchange e SET holder = $3, held_until = $1 + $4::interval, attempts = attempts + 1
FROM due WHERE (e.task, e.endpoint) = (due.task, due.endpoint)
RETURNING {", ".join(f"e.{name}" for name in _NAMES)}
"""

_SETTLE = f"""
UPDATE referral_exchange SET {", ".join(f"{name} = ${n}" for n, name in enumerate(_SETTLED, start=7))},
    next_at = CASE WHEN version > $4 THEN $5::timestamptz ELSE $6::timestamptz END, holder = NULL, held_until = NULL
WHERE task = $1 AND endpoint = $2 AND holder = $3
RETURNING task
"""

_NEXT = "SELECT min(greatest(next_at, held_until)) FROM referral_exchange WHERE next_at IS NOT NULL"


async def put_down(connection: Connection, new: New, now: datetime) -> None:
    """There is such an exchange, and it is due; once per Task and endpoint, however often it is said."""
    who = (new.address, new.organization, new.practitioner)
    await connection.execute(_PUT_DOWN, new.task, new.endpoint, *who, new.agreed, new.version, now)


async def moved(connection: Connection, versions: Mapping[str, int], now: datetime, *, due: bool) -> None:
    """Tasks have new versions, by id; whether what is carried on of them is ``due`` for that."""
    await connection.execute(_MOVED, list(versions), list(versions.values()), now, due)


async def leave(connection: Connection, task: str, *, but: Sequence[str], now: datetime) -> None:
    """The Task is carried on at the endpoints ``but`` only."""
    await connection.execute(_LEAVE, task, list(but), now)


async def claim(pool: Pool, holder: str, *, limit: int, now: datetime, lease: timedelta = LEASE) -> list[Exchange]:
    """Those that are due and in nobody's hands, for ``holder``, a name that nobody else has."""
    return [Exchange(**row) for row in await pool.fetch(_CLAIM, now, limit, holder, lease)]


async def settle(
    connection: Connection | Pool, held: Exchange, *, seen: int, now: datetime, next_at: datetime | None
) -> bool:
    """Write down how an attempt left it, that looked at version ``seen`` of the Task here; what changed since is due.

    False: another attempt has it in hand by now, and nothing was written."""
    values = [getattr(held, name) for name in _SETTLED]
    key = (held.task, held.endpoint, held.holder)
    return await connection.fetchval(_SETTLE, *key, seen, now, next_at, *values) is not None


async def of(connection: Connection | Pool, tasks: Iterable[str]) -> list[Exchange]:
    """What is carried on of ``tasks`` (ids)."""
    text = f"SELECT {_COLUMNS} FROM referral_exchange WHERE task = ANY ($1::text[]) ORDER BY task, created_at"
    return [Exchange(**row) for row in await connection.fetch(text, list(tasks))]


async def next_due(connection: Connection | Pool) -> datetime | None:
    """When the next of them is due."""
    moment: datetime | None = await connection.fetchval(_NEXT)
    return moment
