"""What the evidence of a month is read from, for many plans at once."""

from collections.abc import Iterable
from datetime import date, datetime

from services.careplans.store.tables import ACTIVE
from shared.store.condition import Condition, as_column
from shared.store.database import Connection, Pool

_PLANS = f"""
SELECT care_plan, patient FROM plan_standing
WHERE care_plan > $1 AND ({ACTIVE} OR EXISTS (
    SELECT FROM care_minutes m WHERE m.care_plan = plan_standing.care_plan AND m.day BETWEEN $3 AND $4))
ORDER BY care_plan LIMIT $2
"""
_CONDITIONS = """
SELECT r.patient, r.body FROM resource r
WHERE r.type = 'Condition' AND NOT r.deleted AND r.patient = ANY ($1::text[]) AND {seen}
"""
_SCORES = """
SELECT o.patient, o.observation FROM outcome_score o
JOIN resource r ON r.type = 'Observation' AND r.id = o.observation AND {seen}
WHERE o.patient = ANY ($1::text[]) AND o.measure = ANY ($2::text[]) AND o.at >= $3 AND o.at < $4
ORDER BY o.at, o.observation
"""


async def plans_after(
    connection: Connection | Pool, after: str, limit: int, first: date, last: date
) -> list[tuple[str, str]]:
    """The next shared plans (ids) behind ``after`` that have not ended, or have minutes from ``first`` to ``last``;
    each with its patient."""
    rows = await connection.fetch(_PLANS, after, limit, first, last)
    return [(row["care_plan"], row["patient"]) for row in rows]


async def conditions(
    connection: Connection | Pool, patients: Iterable[str], seen: Condition | None
) -> list[tuple[str, bytes]]:
    """The Conditions of ``patients`` (ids), each with its patient."""
    text, arguments = as_column(seen, 2)
    rows = await connection.fetch(_CONDITIONS.format(seen=text), list(patients), *arguments)
    return [(row["patient"], row["body"]) for row in rows]


async def scores(
    connection: Connection | Pool,
    patients: Iterable[str],
    measures: Iterable[str],
    start: datetime,
    end: datetime,
    seen: Condition | None,
) -> list[tuple[str, str]]:
    """The scores (ids of Observations) of ``measures`` from ``start`` until before ``end``, each with its patient."""
    text, arguments = as_column(seen, 5)
    rows = await connection.fetch(_SCORES.format(seen=text), list(patients), list(measures), start, end, *arguments)
    return [(row["patient"], row["observation"]) for row in rows]
