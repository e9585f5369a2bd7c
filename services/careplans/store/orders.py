"""Orders that people decided on, until the referrals' service has them: in the hands of one attempt at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.store.database import Connection, Pool

LEASE = timedelta(seconds=60)
"""How long an attempt has it in hand: longer than its one request may take."""


class Stands(StrEnum):
    """How an order stands."""

    WAITING = "waiting"
    MADE = "made"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Order:
    """One order. ``task`` and ``request_group`` are references; ``action`` is the one that was accepted."""

    task: str
    care_plan: str
    request_group: str
    action: str
    state: str
    failures: int


_COLUMNS = "task, care_plan, request_group, action, state, failures"
_PUT_DOWN = """
INSERT INTO referral_order (task, care_plan, request_group, action, state, failures, created_at, next_at)
SELECT t.task, $1, $2, t.action, 'waiting', 0, $5::timestamptz, $5::timestamptz
FROM unnest($3::text[], $4::text[]) AS t(task, action) ON CONFLICT (task) DO NOTHING
"""
_CLAIM = f"""
WITH due AS (
    SELECT task FROM referral_order WHERE next_at <= $1::timestamptz ORDER BY next_at LIMIT $2 FOR UPDATE SKIP LOCKED)
UPDATE referral_order o SET next_at = $1::timestamptz + $3::interval FROM due WHERE o.task = due.task
RETURNING {", ".join(f"o.{name}" for name in _COLUMNS.split(", "))}
"""
_SETTLE = "UPDATE referral_order SET state = $2, next_at = NULL WHERE task = $1 AND state = 'waiting' RETURNING true"
_LATER = "UPDATE referral_order SET failures = failures + 1, next_at = $2 WHERE task = $1 AND state = 'waiting'"
_OF_PROPOSALS = "SELECT task, state FROM referral_order WHERE request_group = ANY ($1::text[])"
_NEXT = "SELECT min(next_at) FROM referral_order WHERE next_at IS NOT NULL"


async def put_down(
    connection: Connection, care_plan: str, request_group: str, tasks: Sequence[tuple[str, str]], now: datetime
) -> None:
    """There are orders for ``tasks`` (Task and action), and they are due; once, however often it is said."""
    await connection.execute(
        _PUT_DOWN, care_plan, request_group, [task for task, _ in tasks], [action for _, action in tasks], now
    )


async def claim(pool: Pool, *, limit: int, now: datetime, lease: timedelta = LEASE) -> list[Order]:
    """Those that are due. Whoever does not come back with them, leaves them due after ``lease``."""
    return [Order(**row) for row in await pool.fetch(_CLAIM, now, limit, lease)]


async def settle(connection: Connection | Pool, task: str, state: Stands) -> bool:
    """The order has come to an end; False where it had before."""
    return await connection.fetchval(_SETTLE, task, state.value) is True


async def later(pool: Pool, task: str, at: datetime) -> None:
    """An attempt failed; the next one is ``at``."""
    await pool.execute(_LATER, task, at)


async def states(pool: Pool, request_groups: Sequence[str]) -> dict[str, str]:
    """How the orders of those proposals (references) stand, by Task."""
    return {row["task"]: row["state"] for row in await pool.fetch(_OF_PROPOSALS, list(request_groups))}


async def next_due(pool: Pool) -> datetime | None:
    """When the next attempt is due."""
    at: datetime | None = await pool.fetchval(_NEXT)
    return at
