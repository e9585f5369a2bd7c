"""What became of the referrals that were sent in a time, by group: counts, and times to the hour."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.store.database import Connection, Pool


class By(StrEnum):
    """What a group has in common."""

    MONTH = "month"
    DISCIPLINE = "discipline"
    SERVICE = "service"


_GROUPS = {
    By.MONTH: "date_trunc('month', sent_at AT TIME ZONE $3)",
    By.DISCIPLINE: "discipline",
    By.SERVICE: "owner",
}


@dataclass(frozen=True, slots=True)
class Figures:
    """One group. Times are whole hours, of those that came so far; None where none did."""

    group: str | None
    sent: int
    accepted: int
    declined: int
    seen: int
    completed: int
    cancelled: int
    open: int
    accepted_median_h: int | None
    accepted_p90_h: int | None
    seen_median_h: int | None
    seen_p90_h: int | None


# hours are counted before they are ordered: an exact percentile would sort every referral of the time;
# what has no discipline, or no owner, is a group as well, and NULL is joined with nothing
_STATEMENT = """
WITH counted AS MATERIALIZED (
    SELECT {group} AS key, floor(date_part('epoch', accepted_at - sent_at) / 3600)::int AS accepted_h,
        floor(date_part('epoch', seen_at - sent_at) / 3600)::int AS seen_h, status, waits_for IS NOT NULL AS open,
        count(*) AS number
    FROM referral WHERE sent_at >= $1 AND sent_at < $2 AND $3::text IS NOT NULL
        AND ($4::text IS NULL OR discipline = $4) AND ($5::text IS NULL OR owner = $5)
    GROUP BY 1, 2, 3, 4, 5),
reached AS (
    SELECT key, 'accepted' AS what, accepted_h AS h, sum(number) AS number FROM counted
    WHERE accepted_h IS NOT NULL GROUP BY 1, 3
    UNION ALL
    SELECT key, 'seen', seen_h, sum(number) FROM counted WHERE seen_h IS NOT NULL GROUP BY 1, 3),
placed AS (
    SELECT key, what, h, sum(number) OVER (PARTITION BY key, what ORDER BY h) AS upto,
        sum(number) OVER (PARTITION BY key, what) AS total
    FROM reached),
times AS (
    SELECT key,
        min(h) FILTER (WHERE what = 'accepted' AND upto >= 0.5 * total) AS accepted_median_h,
        min(h) FILTER (WHERE what = 'accepted' AND upto >= 0.9 * total) AS accepted_p90_h,
        min(h) FILTER (WHERE what = 'seen' AND upto >= 0.5 * total) AS seen_median_h,
        min(h) FILTER (WHERE what = 'seen' AND upto >= 0.9 * total) AS seen_p90_h
    FROM placed GROUP BY key),
numbers AS (
    SELECT key, sum(number)::bigint AS sent,
        coalesce(sum(number) FILTER (WHERE accepted_h IS NOT NULL), 0)::bigint AS accepted,
        coalesce(sum(number) FILTER (WHERE status = 'rejected'), 0)::bigint AS declined,
        coalesce(sum(number) FILTER (WHERE seen_h IS NOT NULL), 0)::bigint AS seen,
        coalesce(sum(number) FILTER (WHERE status = 'completed'), 0)::bigint AS completed,
        coalesce(sum(number) FILTER (WHERE status = 'cancelled'), 0)::bigint AS cancelled,
        coalesce(sum(number) FILTER (WHERE open), 0)::bigint AS open
    FROM counted GROUP BY key)
SELECT {name} AS "group", sent, accepted, declined, seen, completed, cancelled, open,
    accepted_median_h, accepted_p90_h, seen_median_h, seen_p90_h
FROM numbers LEFT JOIN times ON coalesce(times.key::text, '') = coalesce(numbers.key::text, '')
ORDER BY {first}, numbers.key LIMIT $6
"""


async def figures(
    connection: Connection | Pool,
    by: By,
    since: datetime,
    until: datetime,
    *,
    zone: str,
    discipline: str | None,
    owner: str | None,
    limit: int,
) -> list[Figures]:
    """The groups of what was sent from ``since`` to before ``until``: months in order, others by their size."""
    month = "to_char(numbers.key, 'YYYY-MM')"
    first, name = ("numbers.key", month) if by is By.MONTH else ("sent DESC", "numbers.key")
    statement = _STATEMENT.format(group=_GROUPS[by], first=first, name=name)
    rows = await connection.fetch(statement, since, until, zone, discipline, owner, limit)
    return [Figures(**row) for row in rows]
