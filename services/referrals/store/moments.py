"""What happened to referrals, in order; ``referrals.keep`` puts it down."""

from dataclasses import dataclass
from datetime import datetime

from services.referrals.store.columns import Columns
from shared.store.database import Connection, Pool


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened to a referral, by whom, and how it stood afterwards."""

    task: str
    """The Task's id."""
    version: int
    at: datetime
    what: str
    status: str | None
    business_status: str | None
    reason: str | None
    owner: str | None
    who: str
    """Whom the caller's token names: a relative reference, else its subject."""
    role: str


_COLUMNS = Columns(Moment).listed
_OF = f"""
SELECT {_COLUMNS} FROM (
    SELECT number, {_COLUMNS} FROM referral_moment WHERE task = $1 ORDER BY number DESC LIMIT $2) newest
ORDER BY number
"""


async def of(connection: Connection | Pool, task: str, *, limit: int) -> list[Moment]:
    """The newest ``limit`` moments of a Task (its id), oldest first."""
    return [Moment(**row) for row in await connection.fetch(_OF, task, limit)]
