"""There is a target time for everything, and what is more urgent is never allowed more time."""

from datetime import datetime
from itertools import pairwise, product

import pytest
from hypothesis import given

from services.referrals.domain.calendar import BusinessDays, Calendar, Hours, Length, after
from services.referrals.domain.milestones import Wait
from services.referrals.domain.targets import DEFAULTS, PARTICULAR, Priority, target
from shared.security.caller import Discipline
from tests.unit.services.referrals.places import calendars, moments

EVERY_DISCIPLINE: tuple[str | None, ...] = (None, *Discipline, "dietetics")
EVERY_PRIORITY: tuple[str | None, ...] = (None, *Priority, "whenever")


@pytest.mark.parametrize(
    ("discipline", "priority", "wait", "length"),
    [
        (None, None, Wait.ACKNOWLEDGEMENT, BusinessDays(2)),
        (None, "routine", Wait.VISIT, BusinessDays(30)),
        (None, "urgent", Wait.VISIT, BusinessDays(10)),
        (None, "asap", Wait.SCHEDULING, BusinessDays(1)),
        (None, "stat", Wait.ACKNOWLEDGEMENT, Hours(1)),
        (None, "stat", Wait.REPORT, Hours(12)),
        ("pain-medicine", "routine", Wait.ACCEPTANCE, BusinessDays(5)),
        ("mental-health", None, Wait.VISIT, BusinessDays(10)),
        ("mental-health", "routine", Wait.ACKNOWLEDGEMENT, BusinessDays(2)),
        ("mental-health", "urgent", Wait.VISIT, BusinessDays(2)),
        ("mental-health", "urgent", Wait.CLOSING, BusinessDays(3)),
        ("mental-health", "stat", Wait.VISIT, Hours(4)),
        ("physical-therapy", "routine", Wait.VISIT, BusinessDays(15)),
        ("physical-therapy", "urgent", Wait.VISIT, BusinessDays(10)),
        ("dietetics", "routine", Wait.VISIT, BusinessDays(30)),
        (None, "whenever", Wait.VISIT, BusinessDays(30)),
    ],
)
def test_the_particular_target_comes_before_the_default(
    discipline: str | None, priority: str | None, wait: Wait, length: Length
) -> None:
    assert target(discipline, priority, wait) == length


def test_every_wait_of_every_discipline_and_priority_has_a_target() -> None:
    for discipline, priority, wait in product(EVERY_DISCIPLINE, EVERY_PRIORITY, Wait):
        assert isinstance(target(discipline, priority, wait), BusinessDays | Hours)


def test_the_defaults_leave_nothing_out() -> None:
    assert set(DEFAULTS) == set(Priority)
    assert all(set(row) == set(Wait) for row in DEFAULTS.values())


def test_only_disciplines_that_referrals_have_are_particular() -> None:
    assert {discipline for discipline, _ in PARTICULAR} <= set(Discipline)


@given(moments, calendars)
def test_what_is_more_urgent_is_due_no_later(start: datetime, calendar: Calendar) -> None:
    for discipline, wait in product(EVERY_DISCIPLINE, Wait):
        ends = [after(start, target(discipline, priority, wait), calendar) for priority in Priority]
        assert all(later >= earlier for later, earlier in pairwise(ends)), (discipline, wait)


@given(moments, calendars)
def test_a_particular_target_is_due_no_later_than_the_default(start: datetime, calendar: Calendar) -> None:
    for (discipline, priority), row in PARTICULAR.items():
        for wait, length in row.items():
            assert after(start, length, calendar) <= after(start, target(None, priority, wait), calendar), discipline
