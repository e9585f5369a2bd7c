"""What happened to referrals, in order."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter

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


_NAMES = [field.name for field in fields(Moment)]
_COLUMNS = ", ".join(_NAMES)
_values = attrgetter(*_NAMES)  # astuple copies each value deeply
_CASTS = {"version": "int", "at": "timestamptz"}
_ARRAYS = ", ".join(f"${number}::{_CASTS.get(name, 'text')}[]" for number, name in enumerate(_NAMES, start=1))
_ADD = f"INSERT INTO referral_moment ({_COLUMNS}) SELECT * FROM unnest({_ARRAYS})"
_OF = f"""
SELECT {_COLUMNS} FROM (
    SELECT number, {_COLUMNS} FROM referral_moment WHERE task = $1 ORDER BY number DESC LIMIT $2) newest
ORDER BY number
"""


async def add(connection: Connection, moments: Sequence[Moment]) -> None:
    """Put down ``moments`` in their order."""
    if moments:
        await connection.execute(_ADD, *(list(column) for column in zip(*map(_values, moments), strict=True)))


async def of(connection: Connection | Pool, task: str, *, limit: int) -> list[Moment]:
    """The newest ``limit`` moments of a Task (its id), oldest first."""
    return [Moment(**row) for row in await connection.fetch(_OF, task, limit)]
