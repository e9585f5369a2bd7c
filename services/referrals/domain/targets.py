"""How long each wait should last at most, by discipline and priority, as data.

The times are our own defaults, for a network to change: about a third for urgent, a business day for asap, hours round
the clock for stat. Those that follow a regulation are in ``SOURCES``. The visit is counted from when the appointment
was given.
"""

from enum import StrEnum

from services.referrals.domain.calendar import BusinessDays, Hours, Length
from services.referrals.domain.milestones import Wait
from shared.security.caller import Discipline


class Priority(StrEnum):
    """http://hl7.org/fhir/R4/valueset-request-priority.html, the least urgent first."""

    ROUTINE = "routine"
    URGENT = "urgent"
    ASAP = "asap"
    STAT = "stat"


_COLUMNS = tuple(Wait)


def _row(*lengths: str) -> dict[Wait, Length]:
    return dict(zip(_COLUMNS, map(_length, lengths), strict=True))


def _length(text: str) -> Length:
    count = int(text[:-1])
    return Hours(count) if text.endswith("h") else BusinessDays(count)


DEFAULTS: dict[Priority, dict[Wait, Length]] = {
    # in the order of Wait: acknowledgement, acceptance, scheduling, visit, report, cancellation, resumption, closing
    Priority.ROUTINE: _row("2d", "5d", "10d", "30d", "10d", "3d", "20d", "10d"),
    Priority.URGENT: _row("1d", "2d", "3d", "10d", "3d", "1d", "7d", "3d"),
    Priority.ASAP: _row("1d", "1d", "1d", "1d", "1d", "1d", "1d", "1d"),
    # 12 h at most: less than a business day also where the clocks are put forward
    Priority.STAT: _row("1h", "2h", "2h", "4h", "12h", "2h", "12h", "12h"),
}
"""For every discipline, and for referrals without one."""

PARTICULAR: dict[tuple[str, Priority], dict[Wait, Length]] = {
    (Discipline.MENTAL_HEALTH, Priority.ROUTINE): {Wait.VISIT: BusinessDays(10)},
    (Discipline.MENTAL_HEALTH, Priority.URGENT): {
        Wait.ACCEPTANCE: BusinessDays(1),
        Wait.SCHEDULING: BusinessDays(1),
        Wait.VISIT: BusinessDays(2),
        Wait.REPORT: BusinessDays(2),
        Wait.RESUMPTION: BusinessDays(3),
    },
    (Discipline.PHYSICAL_THERAPY, Priority.ROUTINE): {Wait.VISIT: BusinessDays(15)},
}
"""What is shorter for one discipline."""

SOURCES = (
    "mental health, routine visit: 10 business days (https://www.ecfr.gov/current/title-42/section-438.68)",
    "mental health, urgent visit: 48 hours without prior authorization (California, 28 CCR 1300.67.2.2)",
    "physical therapy, routine visit: 15 business days (the same, ancillary services)",
)
"""What the visits in ``PARTICULAR`` follow. Regulations count from the request: to keep ours is no proof of keeping
theirs."""


def target(discipline: str | None, priority: str | None, wait: Wait) -> Length:
    """The length of ``wait`` at most. Without a priority, or with one that R4 does not have, a referral is routine."""
    known = Priority(priority) if priority in set(Priority) else Priority.ROUTINE
    particular = {} if discipline is None else PARTICULAR.get((discipline, known), {})
    return particular.get(wait, DEFAULTS[known][wait])
