"""How referrals went: rates and times, by month, discipline or service."""

from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.referrals.app.place import calendar_of_place
from services.referrals.app.worklist import require_staff
from services.referrals.store import statistics
from services.referrals.store.statistics import By
from shared.engine import Engine
from shared.errors import Unprocessable
from shared.security.caller import Caller

LONGEST_YEARS = 10


@dataclass(frozen=True, slots=True)
class Waited:
    """Whole hours from sending, of the ``cases`` that came so far; None where there are none."""

    cases: int
    median_h: int | None
    p90_h: int | None


@dataclass(frozen=True, slots=True)
class Group:
    """The referrals of one group that were sent in the time asked for. Rates are shares of ``sent``."""

    group: str | None
    sent: int
    declined: int
    cancelled: int
    open: int
    completed: int
    acceptance_rate: float
    completion_rate: float
    to_accept: Waited
    to_seen: Waited


async def statistics_of(
    engine: Engine,
    caller: Caller,
    by: By,
    since: date,
    until: date,
    *,
    discipline: str | None,
    owner: str | None,
    limit: int,
) -> tuple[Group, ...]:
    """The groups, ``until`` included. Raises ``Forbidden`` for a patient, ``Unprocessable`` for a time that is none."""
    require_staff(caller)
    if not since <= until or until.year - since.year > LONGEST_YEARS:
        text = f"A time ends after it begins, and is at most {LONGEST_YEARS} years long."
        raise Unprocessable(text, code="value", expression=("query.until",))
    if since.year == MINYEAR or until.year == MAXYEAR:
        # midnight of a place may have no moment in UTC there
        text = f"A time lies in the years from {MINYEAR + 1} to {MAXYEAR - 1}."
        raise Unprocessable(text, code="value", expression=("query.since", "query.until"))
    zone = calendar_of_place().zone
    found = await statistics.figures(
        engine.pool,
        by,
        _midnight(since, zone),
        _midnight(until + timedelta(days=1), zone),
        zone=zone.key,
        discipline=discipline,
        owner=owner,
        limit=limit,
    )
    return tuple(
        Group(
            group=each.group,
            sent=each.sent,
            declined=each.declined,
            cancelled=each.cancelled,
            open=each.open,
            completed=each.completed,
            acceptance_rate=round(each.accepted / each.sent, 4),
            completion_rate=round(each.completed / each.sent, 4),
            to_accept=Waited(each.accepted, each.accepted_median_h, each.accepted_p90_h),
            to_seen=Waited(each.seen, each.seen_median_h, each.seen_p90_h),
        )
        for each in found
    )


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)
