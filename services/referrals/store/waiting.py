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
WITH waits AS (
    SELECT a.key, r.accepted_at,
        CASE WHEN r.seen_at > r.accepted_at AND r.seen_at >= $4
            THEN extract(epoch FROM r.seen_at - r.accepted_at)::float8 END AS lasted,
        CASE WHEN r.seen_at IS NULL AND r.ended_at IS NULL AND r.waits_for IS NOT NULL
            THEN extract(epoch FROM $6 - r.accepted_at)::float8 END AS lasts,
        r.ended_at IS NULL OR r.seen_at IS NOT NULL AS taken
    FROM unnest($1::text[], $2::text[], $3::text[]) AS a(key, owner, discipline)
    JOIN referral r ON r.owner = a.owner AND (a.discipline = '*' OR r.discipline IS NOT DISTINCT FROM a.discipline)
    WHERE r.accepted_at IS NOT NULL AND (r.seen_at IS NULL OR r.seen_at >= $4)
)
SELECT key, count(lasted),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY lasted),
    percentile_cont(0.9) WITHIN GROUP (ORDER BY lasted),
    count(lasts), max(lasts), count(*) FILTER (WHERE taken AND accepted_at >= $5)
FROM waits GROUP BY key
"""


async def observed(
    connection: Connection | Pool, asked: Iterable[Asked], *, since: datetime, week: datetime, now: datetime
) -> dict[str, Observed]:
    """By key, what happened: visits from ``since`` on, acceptances from ``week`` on, and who waits ``now``.

    A key that several owners are asked under counts each referral once; one that nobody was referred to is missing."""
    several = list(asked)
    whole = {(each.key, each.owner) for each in several if each.discipline == ANY}
    # no referral is met in two ways: an owner of any discipline is not asked for one of them, too
    columns = [
        (each.key, each.owner, each.discipline)
        for each in dict.fromkeys(several)
        if each.discipline == ANY or (each.key, each.owner) not in whole
    ]
    if not columns:
        return {}
    rows = await connection.fetch(_OBSERVED, *(list(column) for column in zip(*columns, strict=True)), since, week, now)
    return {row[0]: Observed(*row[1:]) for row in rows}
