"""The ledger of minutes: rows are added and read, never changed."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from services.careplans.domain.minutes import Entry, Kind, Mode
from shared.store.database import Connection, Pool

_NAMES = tuple(field.name for field in fields(Entry))
_COLUMNS = ", ".join(_NAMES)
_ADD = f"""
INSERT INTO care_minutes ({_COLUMNS}, caller, key, request)
VALUES ({", ".join(f"${place}" for place in range(1, len(_NAMES) + 4))}) ON CONFLICT DO NOTHING RETURNING true
"""
_READ = f"SELECT {_COLUMNS} FROM care_minutes WHERE id = $1"
_KEYED = f"SELECT {_COLUMNS}, request FROM care_minutes WHERE caller = $1 AND key = $2"
# of a line of corrections all, whichever day each names
_OF_PLANS = f"""
WITH RECURSIVE line AS (
    SELECT {_COLUMNS} FROM care_minutes
    WHERE care_plan = ANY ($1::text[]) AND (day BETWEEN $2 AND $3 OR kind = ANY ($4::text[]))
    UNION
    SELECT {", ".join(f"c.{name}" for name in _NAMES)} FROM care_minutes c JOIN line ON c.corrects = line.id
)
SELECT * FROM line ORDER BY day, recorded_at, id
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """A request that is to have its effect once. ``key`` and ``request`` are SHA-256."""

    key: bytes
    request: bytes


async def add(connection: Connection, entry: Entry, caller: str, claim: Claim | None) -> bool:
    """Add ``entry``; False where its key is taken, or what it corrects was corrected already."""
    keyed = (None, None) if claim is None else (claim.key, claim.request)
    values = [getattr(entry, name) for name in _NAMES]
    return bool(await connection.fetchval(_ADD, *values, caller, *keyed))


async def read(connection: Connection | Pool, id_: str) -> Entry | None:
    """One entry."""
    row = await connection.fetchrow(_READ, id_)
    return None if row is None else _entry(row)


async def keyed(connection: Connection | Pool, caller: str, claim: Claim) -> tuple[Entry, bool] | None:
    """The entry that came under the key, and whether by the same request."""
    row = await connection.fetchrow(_KEYED, caller, claim.key)
    return None if row is None else (_entry(row), row["request"] == claim.request)


async def of_plans(
    connection: Connection | Pool, plans: Iterable[str], first: date, last: date, *, always: Iterable[Kind] = ()
) -> list[Entry]:
    """The entries of ``plans`` (ids) from ``first`` to ``last``, those of the kinds ``always`` of any day, and what
    corrects them, in order."""
    kinds = [kind.value for kind in always]
    return [_entry(row) for row in await connection.fetch(_OF_PLANS, list(plans), first, last, kinds)]


def _entry(row: Any) -> Entry:
    values = {name: row[name] for name in _NAMES}
    return Entry(**values | {"kind": Kind(values["kind"]), "mode": Mode(values["mode"])})
