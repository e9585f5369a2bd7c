"""Whether a transaction that spans databases is committed: one row in one of them, and nobody's opinion beside it.

The row that says *committed* is written by the transaction that stores the holder's own part: the two are one commit.
Who finds no row, and cannot wait, writes *not committed*; whoever comes first decides, as the key is unique
(presumed abort). A row is forgotten once every part is finished.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from shared.errors import Conflict
from shared.store.database import Connection, Pool
from shared.store.sweeping import Sweep, through

MOST = 1000
"""Decisions in one answer of ``unfinished``."""
REFUSED_KEPT = timedelta(days=1)
"""How long it is remembered that a transaction was not committed: much longer than anybody still tries."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A transaction that is committed, and the services that have prepared parts of it."""

    transaction: str
    parts: Sequence[str]


async def commit_with(connection: Connection, transaction: str, parts: Sequence[str]) -> None:
    """Let the commit of the transaction on ``connection`` be the decision. Raises ``Conflict`` where it is too late."""
    written = await connection.fetchval(
        "INSERT INTO transaction_decision (id, committed, parts) VALUES ($1, true, $2)"
        " ON CONFLICT DO NOTHING RETURNING true",
        transaction,
        list(parts),
    )
    if not written:
        raise Conflict("The transaction took too long and was given up; nothing was stored.")


async def outcome(pool: Pool, transaction: str) -> bool:
    """Whether it is committed. From now on it is not, unless it was; waits for a commit that is under way."""
    await pool.execute(
        "INSERT INTO transaction_decision (id, committed) VALUES ($1, false) ON CONFLICT DO NOTHING", transaction
    )
    # a statement of its own: the one above does not see the row that it waited for
    return bool(await pool.fetchval("SELECT committed FROM transaction_decision WHERE id = $1", transaction))


async def unfinished(pool: Pool, *, longer_than: float) -> Sequence[Decided]:
    """What was committed more than ``longer_than`` seconds ago and is not known to be finished everywhere."""
    rows = await pool.fetch(
        "SELECT id, parts FROM transaction_decision"
        " WHERE committed AND decided_at < clock_timestamp() - make_interval(secs => $1) ORDER BY decided_at LIMIT $2",
        longer_than,
        MOST,
    )
    return [Decided(row["id"], row["parts"]) for row in rows]


async def forget(pool: Pool, transaction: str) -> None:
    """Every part is finished: nobody will ask any more."""
    await pool.execute("DELETE FROM transaction_decision WHERE id = $1 AND committed", transaction)


def refusals_forgotten() -> Sweep:
    """What was not committed is forgotten after a day; what was committed stays until it is finished."""
    statement = (
        "WITH gone AS (DELETE FROM transaction_decision d WHERE {reach} AND NOT d.committed"
        " AND d.decided_at < now() - $3::interval RETURNING 1) SELECT count(*) FROM gone"
    )
    return Sweep("refused transactions", through("transaction_decision", statement, REFUSED_KEPT))
