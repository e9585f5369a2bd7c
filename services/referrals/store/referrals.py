"""How referrals stand, by Task. Whoever changes a row holds the lock on its Task."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, fields

from services.referrals.domain.standing import Standing
from shared.store.database import Connection, Pool

_NAMES = [field.name for field in fields(Standing)]
_COLUMNS = ", ".join(_NAMES)
_CASTS = {"version": "int", "priority": "smallint", "since": "timestamptz"} | {
    name: "timestamptz" for name in _NAMES if name.endswith("_at")
}
_ARRAYS = ", ".join(f"${number}::{_CASTS.get(name, 'text')}[]" for number, name in enumerate(_NAMES, start=1))
_READ = f"SELECT {_COLUMNS} FROM referral WHERE task = ANY ($1::text[])"
_KEEP = f"""
INSERT INTO referral ({_COLUMNS}) SELECT * FROM unnest({_ARRAYS})
ON CONFLICT (task) DO UPDATE SET {", ".join(f"{name} = EXCLUDED.{name}" for name in _NAMES[1:])}
"""
_FORGET = "DELETE FROM referral WHERE task = ANY ($1::text[])"


async def read(connection: Connection | Pool, tasks: Iterable[str]) -> dict[str, Standing]:
    """What is known of ``tasks`` (ids), by id."""
    rows = await connection.fetch(_READ, list(tasks))
    return {row["task"]: Standing(**row) for row in rows}


async def keep(connection: Connection, standings: Sequence[Standing]) -> None:
    """Store how referrals stand, one row for each Task."""
    if standings:
        await connection.execute(_KEEP, *(list(column) for column in zip(*map(astuple, standings), strict=True)))


async def forget(connection: Connection, tasks: Sequence[str]) -> None:
    """There are no such referrals any more."""
    if tasks:
        await connection.execute(_FORGET, list(tasks))
