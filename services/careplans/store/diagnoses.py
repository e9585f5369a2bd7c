"""Uncertain diagnoses, by Condition. Whoever changes what they say holds the lock of their patient."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from services.careplans.domain.uncertainty import Diagnosis
from services.careplans.store.tables import UNTOLD
from shared.store.condition import Condition, as_column
from shared.store.database import Connection, Pool

Key = tuple[date, str]
"""Where a diagnosis is in the list: its date, and its id."""

_NAMES = tuple(field.name for field in fields(Diagnosis))
_COLUMNS = ", ".join(_NAMES)
_KEEP = f"""
INSERT INTO uncertain_diagnosis ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (condition) DO UPDATE SET {", ".join(f"{name} = EXCLUDED.{name}" for name in _NAMES[1:])}
"""
_FORGET = "DELETE FROM uncertain_diagnosis WHERE condition = ANY ($1::text[])"
_DUE = f"""
SELECT {_COLUMNS},
    (SELECT care_plan FROM shared_plan s WHERE s.patient = uncertain_diagnosis.patient AND s.current) AS care_plan
FROM uncertain_diagnosis WHERE revisit_by < $1 AND {UNTOLD} AND ($3::text[] IS NULL OR condition = ANY ($3))
ORDER BY revisit_by, condition LIMIT $2
"""
_TOLD = "UPDATE uncertain_diagnosis SET told_for = revisit_by WHERE condition = ANY ($1::text[])"
_PAGE = f"""
SELECT {", ".join(f"u.{name}" for name in _NAMES)},
    (SELECT care_plan FROM shared_plan s WHERE s.patient = u.patient AND s.current) AS care_plan
FROM uncertain_diagnosis u
WHERE u.revisit_by < $1 AND ($2::date IS NULL OR (u.revisit_by, u.condition) > ($2, $3)) AND {{seen}}
ORDER BY u.revisit_by, u.condition LIMIT $4
"""
_SEEN = "EXISTS (SELECT FROM resource r WHERE r.type = 'Condition' AND r.id = u.condition AND {text})"


@dataclass(frozen=True, slots=True)
class Placed:
    """A diagnosis, and the id of the patient's shared plan, if there is one."""

    diagnosis: Diagnosis
    care_plan: str | None


async def keep(connection: Connection, diagnoses: Sequence[Diagnosis], gone: Sequence[str]) -> None:
    """Store ``diagnoses``; the Conditions with the ids ``gone`` are none any more. A new date is told anew."""
    if gone:
        await connection.execute(_FORGET, list(gone))
    if diagnoses:
        await connection.executemany(_KEEP, [[getattr(each, name) for name in _NAMES] for each in diagnoses])


async def due(connection: Connection, today: date, *, limit: int, among: Sequence[str] | None = None) -> list[Placed]:
    """Those whose date has passed, and of which that was not told, the oldest first; those ``among`` some ids."""
    return [_placed(row) for row in await connection.fetch(_DUE, today, limit, among)]


async def told(connection: Connection, conditions: Sequence[str]) -> None:
    """It was told that the dates of these have passed."""
    await connection.execute(_TOLD, list(conditions))


async def page(
    connection: Connection | Pool, before: date, *, after: Key | None, limit: int, seen: Condition | None
) -> list[Placed]:
    """The next ``limit`` with a date before ``before`` behind ``after``, the oldest first."""
    text, arguments = as_column(seen, 5)
    statement = _PAGE.format(seen="true" if seen is None else _SEEN.format(text=text))
    at, condition = after or (None, None)
    return [_placed(row) for row in await connection.fetch(statement, before, at, condition, limit, *arguments)]


def _placed(row: Any) -> Placed:
    return Placed(Diagnosis(**{name: row[name] for name in _NAMES}), row["care_plan"])
