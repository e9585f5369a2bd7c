"""The deliveries' table: put down once, claimed by one worker at a time, settled once."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.notifications.domain.delivery import LEASE, Next, Outcome, Status
from services.notifications.domain.preferences import Channel
from shared.store.database import Connection, Pool
from shared.store.sweeping import Batch, through

DUE = "consilium_delivery"
"""The NOTIFY channel that wakes the delivery loops."""

_ADD = """
INSERT INTO delivery (id, communication, event_id, told_as, type, receiver, channel, text, focus, status, attempts,
    due_at, created_at, settled_at, traceparent)
SELECT d.id, d.communication, $1, $2, $3, d.receiver, d.channel, d.text, $4, d.status, CASE d.status WHEN 'delivered'
    THEN 1 ELSE 0 END, CASE d.status WHEN 'pending' THEN $5::timestamptz END, $5::timestamptz,
    CASE d.status WHEN 'delivered' THEN $5::timestamptz END, $6
FROM unnest($7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[])
    AS d(id, communication, receiver, channel, text, status)
ORDER BY d.receiver, d.channel
ON CONFLICT (told_as, receiver, channel) DO NOTHING
RETURNING id
"""

_CLAIM = """
WITH due AS (
    SELECT id FROM delivery WHERE status IN ('pending', 'sending') AND due_at <= $1
    ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED),
claimed AS (
    UPDATE delivery d SET status = 'sending', attempts = d.attempts + 1, due_at = $1 + $3::interval
    FROM due WHERE d.id = due.id RETURNING d.*),
logged AS (
    INSERT INTO delivery_attempt (delivery, attempt, started_at) SELECT id, attempts, $1 FROM claimed
    ON CONFLICT (delivery, started_at) DO NOTHING)
SELECT c.id, c.communication, c.event_id, c.type, c.receiver, c.channel, c.text, c.focus, c.attempts, c.created_at,
    c.traceparent, p.address, p.secret, p.enabled
FROM claimed c LEFT JOIN receiver_preference p ON p.receiver = c.receiver AND p.channel = c.channel
ORDER BY c.id
"""

_SETTLE = """
WITH ended AS (
    UPDATE delivery_attempt SET ended_at = $5, verdict = $6, reason = $7, code = $8
    WHERE delivery = $1 AND started_at = $9)
UPDATE delivery SET status = $3, due_at = $4, reason = $7, settled_at = CASE WHEN $4::timestamptz IS NULL THEN $5 END
WHERE id = $1 AND (($3 = 'delivered' AND status <> 'delivered') OR (status = 'sending' AND due_at = $9 + $2::interval))
RETURNING id
"""

_REPLAY = """
UPDATE delivery SET status = 'pending', attempts = 0, due_at = $2, settled_at = NULL, reason = NULL
WHERE id = $1 AND status = 'failed' RETURNING id
"""

# a sibling that is on its way or failed still needs the others: they make up the Communication's status
_FORGET = """
WITH gone AS (
    DELETE FROM delivery d WHERE {reach} AND d.status = 'delivered' AND d.settled_at < now() - $3::interval
        AND NOT EXISTS (SELECT FROM delivery s WHERE s.communication = d.communication AND s.status <> 'delivered')
    RETURNING id),
log AS (DELETE FROM delivery_attempt a USING gone WHERE a.delivery = gone.id)
SELECT count(*) FROM gone
"""


@dataclass(frozen=True, slots=True)
class New:
    """A delivery to put down: what differs between those of one event."""

    id: str
    communication: str
    receiver: str
    channel: Channel
    text: str
    status: Status


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this worker owns until the lease ends, with where it goes. ``repr`` hides that and the text."""

    id: str
    communication: str
    event_id: str
    type: str
    receiver: str
    channel: Channel
    text: str = field(repr=False)
    focus: str
    attempts: int
    created_at: datetime
    traceparent: str | None
    address: str | None = field(repr=False)
    secret: str | None = field(repr=False)
    enabled: bool | None
    """None: the receiver has no preference for the channel any more."""
    claimed_at: datetime


async def add(
    connection: Connection,
    rows: Sequence[New],
    *,
    event_id: str,
    told_as: str,
    type: str,
    focus: str,
    at: datetime,
    traceparent: str | None,
) -> frozenset[str]:
    """Put down those of ``rows`` whose receiver was not told before; their ids."""
    columns = [
        [row.id for row in rows],
        [row.communication for row in rows],
        [row.receiver for row in rows],
        [row.channel.value for row in rows],
        [row.text for row in rows],
        [row.status.value for row in rows],
    ]
    added = await connection.fetch(_ADD, event_id, told_as, type, focus, at, traceparent, *columns)
    return frozenset(row[0] for row in added)


async def announce(connection: Connection) -> None:
    """Wake the delivery loops when this transaction commits."""
    await connection.execute("SELECT pg_notify($1, '')", DUE)


async def claim(pool: Pool, *, limit: int, now: datetime) -> list[Claimed]:
    """Own up to ``limit`` deliveries that are due, or whose worker let its lease end."""
    rows = await pool.fetch(_CLAIM, now, limit, LEASE)
    return [Claimed(**(dict(row) | {"channel": Channel(row["channel"])}), claimed_at=now) for row in rows]


async def overdue(pool: Pool, *, now: datetime) -> dict[Channel, tuple[int, float]]:
    """How many deliveries are due and in nobody's hands, and for how many seconds the first has been, by channel."""
    rows = await pool.fetch(
        """
        SELECT channel, count(*) AS number, extract(epoch FROM $1::timestamptz - min(due_at))::float AS seconds
        FROM delivery WHERE status IN ('pending', 'sending') AND due_at <= $1 GROUP BY channel
        """,
        now,
    )
    return {Channel(row["channel"]): (row["number"], row["seconds"]) for row in rows}


async def settle(connection: Connection, claimed: Claimed, outcome: Outcome, then: Next, now: datetime) -> bool:
    """Write down how the attempt ended. False: it is no longer this worker's to say, and nothing changed.

    A success counts whoever owns the delivery by now; a failure only while this attempt's lease stands."""
    answer = await connection.fetchval(
        _SETTLE,
        claimed.id,
        LEASE,
        then.status.value,
        then.due_at,
        now,
        outcome.verdict.value,
        outcome.reason.value if outcome.reason else None,
        outcome.code,
        claimed.claimed_at,
    )
    return answer is not None


async def statuses(connection: Connection, communication: str) -> frozenset[Status]:
    """Where the deliveries of a Communication stand."""
    rows = await connection.fetch("SELECT DISTINCT status FROM delivery WHERE communication = $1", communication)
    return frozenset(Status(row[0]) for row in rows)


async def communication_of(connection: Connection, id_: str) -> str | None:
    """The id of the Communication that delivery ``id_`` carries; None if there is no such delivery."""
    answer: str | None = await connection.fetchval("SELECT communication FROM delivery WHERE id = $1", id_)
    return answer


async def replay(connection: Connection, id_: str, now: datetime) -> bool:
    """Make a failed delivery due again, with all its attempts. False: it has not failed."""
    return await connection.fetchval(_REPLAY, id_, now) is not None


def forgetting(after: timedelta) -> Callable[[Connection, int], Awaitable[Batch]]:
    """A sweep's step that forgets what was delivered longer than ``after`` ago, with its log."""
    return through("delivery", _FORGET, after)
