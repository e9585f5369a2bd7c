"""How long owners of referrals let wait, and how much they took on: counted from how each referral stands."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.referrals.domain.waiting import Observed
from shared.store.database import Connection, Pool

ANY = "*"
"""Stands for any discipline, and for none."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One owner whose referrals are counted under ``key``: of any discipline, or of one, or of none (None)."""

    key: str
    owner: str
    discipline: str | None = ANY


# what was brought in has all its milestones at one moment: how long that took, nobody knows
_OBSERVED = """
WITH counted AS (
    SELECT DISTINCT a.key, r.task, r.accepted_at, r.seen_at, r.ended_at, r.waits_for
    FROM unnest($1::text[], $2::text[], $3::text[]) AS a(key, owner, discipline)
    JOIN referral r ON r.owner = a.owner AND (a.discipline = '*' OR r.discipline IS NOT DISTINCT FROM a.discipline)
    WHERE r.accepted_at IS NOT NULL
), waits AS (
    SELECT key, accepted_at,
        CASE WHEN seen_at > accepted_at AND seen_at >= $4 THEN extract(epoch FROM seen_at - accepted_at) END AS lasted,
        CASE WHEN seen_at IS NULL AND ended_at IS NULL AND waits_for IS NOT NULL
            THEN extract(epoch FROM $6 - accepted_at) END AS lasts,
        ended_at IS NULL OR seen_at IS NOT NULL AS taken
    FROM counted
)
SELECT key, count(lasted),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY lasted::float8),
    percentile_cont(0.9) WITHIN GROUP (ORDER BY lasted::float8),
    count(lasts), max(lasts)::float8, count(*) FILTER (WHERE taken AND accepted_at >= $5)
FROM waits GROUP BY key
"""


async def observed(
    connection: Connection | Pool, asked: Iterable[Asked], *, since: datetime, week: datetime, now: datetime
) -> dict[str, Observed]:
    """By key, what happened: visits from ``since`` on, acceptances from ``week`` on, and who waits ``now``.

    A key that several owners are asked under counts each referral once; one that nobody was referred to is missing."""
    columns = [(each.key, each.owner, each.discipline) for each in asked]
    if not columns:
        return {}
    rows = await connection.fetch(_OBSERVED, *(list(column) for column in zip(*columns, strict=True)), since, week, now)
    return {row[0]: Observed(*row[1:]) for row in rows}
