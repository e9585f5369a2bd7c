"""How long owners of referrals let wait, and how much they took on: counted from how each referral stands."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.referrals.domain.waiting import Observed
from shared.store.database import Connection, Pool


@dataclass(frozen=True, slots=True)
class Asked:
    """One owner whose referrals are counted under ``key``; with ``discipline`` only those of it."""

    key: str
    owner: str
    any_discipline: bool = True
    discipline: str | None = None


# what was brought in has all its milestones at one moment: how long that took, nobody knows
_OBSERVED = """
WITH counted AS (
    SELECT DISTINCT a.key, r.task, r.accepted_at, r.seen_at, r.ended_at, r.waits_for
    FROM unnest($1::text[], $2::text[], $3::boolean[], $4::text[]) AS a(key, owner, any_discipline, discipline)
    JOIN referral r ON r.owner = a.owner AND (a.any_discipline OR r.discipline IS NOT DISTINCT FROM a.discipline)
    WHERE r.accepted_at IS NOT NULL
), waits AS (
    SELECT key, accepted_at,
        CASE WHEN seen_at > accepted_at AND seen_at >= $5 THEN extract(epoch FROM seen_at - accepted_at) END AS lasted,
        CASE WHEN seen_at IS NULL AND ended_at IS NULL AND waits_for IS NOT NULL
            THEN extract(epoch FROM $7 - accepted_at) END AS lasts,
        ended_at IS NULL OR seen_at IS NOT NULL AS taken
    FROM counted
)
SELECT key, count(lasted),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY lasted::float8),
    percentile_cont(0.9) WITHIN GROUP (ORDER BY lasted::float8),
    count(lasts), max(lasts)::float8, count(*) FILTER (WHERE taken AND accepted_at >= $6)
FROM waits GROUP BY key
"""


async def observed(
    connection: Connection | Pool, asked: Iterable[Asked], *, since: datetime, week: datetime, now: datetime
) -> dict[str, Observed]:
    """By key, what happened: visits from ``since`` on, acceptances from ``week`` on, and who waits ``now``.

    A key that several owners are asked under counts each referral once; one that nobody was referred to is missing."""
    columns = [(each.key, each.owner, each.any_discipline, each.discipline) for each in asked]
    if not columns:
        return {}
    rows = await connection.fetch(_OBSERVED, *(list(column) for column in zip(*columns, strict=True)), since, week, now)
    return {row[0]: Observed(*row[1:]) for row in rows}
