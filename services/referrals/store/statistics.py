"""What became of the referrals that were sent in a time, by group: counts, and times to the hour."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.store.database import Pool


class By(StrEnum):
    """What a group has in common."""

    MONTH = "month"
    DISCIPLINE = "discipline"
    SERVICE = "service"


_FIRST = "date_trunc('month', $1 AT TIME ZONE $3)"
_MONTHS = f"generate_series({_FIRST}, $2 AT TIME ZONE $3, '1 month') AS month"
_GROUPS = {
    # the number of the month, counted from the first: a place among few moments costs less than a date made of each
    By.MONTH: f"width_bucket(sent_at, ARRAY(SELECT month AT TIME ZONE $3 FROM {_MONTHS}))",
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


_AMONG = """sent_at >= $1 AND sent_at < $2 AND $3::text IS NOT NULL
        AND ($4::text IS NULL OR discipline = $4) AND ($5::text IS NULL OR owner = $5)"""
_LARGEST = f"""largest AS MATERIALIZED (
    SELECT owner FROM referral WHERE {_AMONG} GROUP BY owner ORDER BY count(*) DESC, owner LIMIT $6),
"""
_OF_LARGEST = " AND (owner = ANY (ARRAY(SELECT owner FROM largest)) OR owner IS NULL)"
"""Services are many: times are counted of those alone that are shown."""

# hours are counted before they are ordered: an exact percentile would sort every referral of the time. OFFSET 0 hides
# from the planner what they are made of, else it takes each for one of its own, and sorts all the same.
# What has no discipline, or no owner, is a group as well, by the empty name, which none has
_STATEMENT = """
WITH {largest}counted AS MATERIALIZED (
    SELECT part, status, open, coalesce(accepted, seen) AS took, count(*) AS number,
        CASE WHEN grouping(status) = 0 THEN 'sent' WHEN grouping(accepted) = 0 THEN 'accepted' ELSE 'seen' END AS what
    FROM (
        SELECT {group} AS part, status, coalesce(waits_for <> 'closing', false) AS open,
            date_trunc('hour', accepted_at - sent_at) AS accepted, date_trunc('hour', seen_at - sent_at) AS seen
        FROM referral WHERE {among} OFFSET 0) AS sent
    GROUP BY GROUPING SETS ((part, status, open), (part, accepted), (part, seen))),
named AS (
    SELECT coalesce({name}, '') COLLATE "C" AS key, what, status, open, number,
        (date_part('epoch', took) / 3600)::int AS h
    FROM counted),
placed AS (
    SELECT key, what, h, sum(number) OVER (PARTITION BY key, what ORDER BY h) AS upto,
        sum(number) OVER (PARTITION BY key, what) AS total
    FROM named WHERE h IS NOT NULL),
times AS (
    SELECT key,
        max(total) FILTER (WHERE what = 'accepted') AS accepted, max(total) FILTER (WHERE what = 'seen') AS seen,
        min(h) FILTER (WHERE what = 'accepted' AND upto >= 0.5 * total) AS accepted_median_h,
        min(h) FILTER (WHERE what = 'accepted' AND upto >= 0.9 * total) AS accepted_p90_h,
        min(h) FILTER (WHERE what = 'seen' AND upto >= 0.5 * total) AS seen_median_h,
        min(h) FILTER (WHERE what = 'seen' AND upto >= 0.9 * total) AS seen_p90_h
    FROM placed GROUP BY key),
numbers AS (
    SELECT key, sum(number)::bigint AS sent,
        coalesce(sum(number) FILTER (WHERE status = 'rejected'), 0)::bigint AS declined,
        coalesce(sum(number) FILTER (WHERE status = 'completed'), 0)::bigint AS completed,
        coalesce(sum(number) FILTER (WHERE status = 'cancelled'), 0)::bigint AS cancelled,
        coalesce(sum(number) FILTER (WHERE open), 0)::bigint AS open
    FROM named WHERE what = 'sent' GROUP BY key)
SELECT nullif(key, '') AS "group", sent, coalesce(accepted, 0)::bigint AS accepted, declined,
    coalesce(seen, 0)::bigint AS seen, completed, cancelled, open,
    accepted_median_h, accepted_p90_h, seen_median_h, seen_p90_h
FROM numbers LEFT JOIN times USING (key)
ORDER BY {first} LIMIT $6
"""
_PLANNED = "SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL work_mem = '64MB'"
"""A day and ten years want plans of their own, and many services in ten years take more than a page of a list."""


def _statement(by: By) -> str:
    largest, of_largest = (_LARGEST, _OF_LARGEST) if by is By.SERVICE else ("", "")
    return _STATEMENT.format(
        largest=largest,
        among=_AMONG + of_largest,
        group=_GROUPS[by],
        name=f"to_char({_FIRST} + (part - 1) * interval '1 month', 'YYYY-MM')" if by is By.MONTH else "part",
        first="key" if by is By.MONTH else "sent DESC, nullif(key, '')",
    )


async def figures(
    pool: Pool,
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
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(_PLANNED)
        rows = await connection.fetch(_statement(by), since, until, zone, discipline, owner, limit)
    return [Figures(**row) for row in rows]
