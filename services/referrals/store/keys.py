"""Idempotency keys: what a request led to, so that the same request again leads to nothing more
(https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.errors import Unprocessable
from shared.store.database import Connection, Pool
from shared.store.sweeping import Batch, through

WHERE = ("header.idempotency-key",)

# another request under the same key is found whichever item of it came first
_CLAIM = """
INSERT INTO idempotency_key (caller, key, item, request, at)
SELECT $1, $2, $3, $4, $5 WHERE NOT EXISTS (
    SELECT FROM idempotency_key WHERE caller = $1 AND key = $2 AND request <> $4)
ON CONFLICT DO NOTHING RETURNING true
"""
_SETTLE = """
UPDATE idempotency_key SET task = $4, version = $5, status = $6 WHERE caller = $1 AND key = $2 AND item = $3
"""
_KNOWN = "SELECT item, request, task, version, status FROM idempotency_key WHERE caller = $1 AND key = $2"
_FORGET = """
WITH gone AS (DELETE FROM idempotency_key d WHERE {reach} AND d.at < now() - $3::interval RETURNING 1)
SELECT count(*) FROM gone
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """A request, or an item of one, that is to have its effect once. ``key`` and ``request`` are SHA-256."""

    caller: str
    key: bytes
    request: bytes
    item: int = 0


@dataclass(frozen=True, slots=True)
class Led:
    """What it led to: a Task (its id) in a version, and the HTTP status of the answer."""

    task: str
    version: int
    status: int


async def claimed(connection: Connection, claim: Claim, at: datetime) -> Led | None:
    """Claim the key in this transaction, and wait for who has claimed it; what it has led to, if it has.

    None: the claim stands if this transaction commits, and is gone if it does not. Raises what ``known`` raises."""
    while not await connection.fetchval(_CLAIM, claim.caller, claim.key, claim.item, claim.request, at):
        # a statement of its own: the one above does not see the row that it waited for
        led = (await known(connection, claim)).get(claim.item)
        if led is not None:
            return led
        # a sweep has taken it between the two
    return None


async def settle(connection: Connection, claim: Claim, led: Led) -> None:
    """Write down what the claim of this transaction leads to."""
    await connection.execute(_SETTLE, claim.caller, claim.key, claim.item, led.task, led.version, led.status)


async def known(connection: Connection | Pool, claim: Claim) -> dict[int, Led]:
    """What the request of ``claim`` has led to, by item. Raises ``Unprocessable`` where another had the same key."""
    rows = await connection.fetch(_KNOWN, claim.caller, claim.key)
    if any(row["request"] != claim.request for row in rows):
        raise Unprocessable("This key was used for another request.", code="duplicate", expression=WHERE)
    return {row["item"]: Led(row["task"], row["version"], row["status"]) for row in rows}


def forgetting(after: timedelta) -> Callable[[Connection, int], Awaitable[Batch]]:
    """A sweep's step that forgets keys older than ``after``."""
    return through("idempotency_key", _FORGET, after)
