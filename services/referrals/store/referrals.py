"""How referrals stand, by Task. Whoever changes a row holds the lock on its Task."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from services.referrals.domain.standing import Standing
from services.referrals.store.columns import Columns
from services.referrals.store.moments import Moment
from shared.store.database import Connection, Pool

_ROW, _MOMENT = Columns(Standing), Columns(Moment)
COLUMNS = _ROW.listed
"""Those of a ``Standing``."""
_READ = f"SELECT {COLUMNS} FROM referral WHERE task = ANY ($1::text[])"
_LOCK = f"{_READ} ORDER BY task FOR UPDATE"
_DUE = f"""
SELECT {COLUMNS} FROM referral WHERE next_at <= $1 ORDER BY next_at, task LIMIT $2 FOR UPDATE SKIP LOCKED
"""
_NEXT = "SELECT min(next_at) FROM referral WHERE next_at IS NOT NULL"
_KEEP = f"""
WITH kept AS (
    INSERT INTO referral ({COLUMNS}) SELECT * FROM {_ROW.unnested()}
    ON CONFLICT (task) DO UPDATE SET {", ".join(f"{name} = EXCLUDED.{name}" for name in _ROW.names[1:])})
INSERT INTO referral_moment ({_MOMENT.listed}) SELECT * FROM {_MOMENT.unnested(len(_ROW.names) + 1)}
"""
_FORGET = "DELETE FROM referral WHERE task = ANY ($1::text[])"


async def read(connection: Connection | Pool, tasks: Iterable[str]) -> dict[str, Standing]:
    """What is known of ``tasks`` (ids), by id."""
    rows = await connection.fetch(_READ, list(tasks))
    return {row["task"]: Standing(**row) for row in rows}


async def lock(connection: Connection, tasks: Iterable[str]) -> dict[str, Standing]:
    """As ``read``, and nobody changes them before the transaction ends: a clock that fires now has fired, or waits."""
    rows = await connection.fetch(_LOCK, list(tasks))
    return {row["task"]: Standing(**row) for row in rows}


async def due(connection: Connection, now: datetime, *, limit: int) -> list[Standing]:
    """Those of which a stage is due, the oldest first, for this transaction to tell; what others hold is theirs."""
    return [Standing(**row) for row in await connection.fetch(_DUE, now, limit)]


async def next_due(connection: Connection | Pool) -> datetime | None:
    """When the next stage of any referral is due."""
    moment: datetime | None = await connection.fetchval(_NEXT)
    return moment


async def keep(connection: Connection, standings: Sequence[Standing], happened: Sequence[Moment]) -> None:
    """Store how referrals stand, one row for each Task, and put down what ``happened``, in order."""
    if standings or happened:
        await connection.execute(_KEEP, *_ROW.arrays(standings), *_MOMENT.arrays(happened))


async def forget(connection: Connection, tasks: Sequence[str]) -> None:
    """There are no such referrals any more."""
    if tasks:
        await connection.execute(_FORGET, list(tasks))
