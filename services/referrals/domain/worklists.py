"""The worklists of a coordinator, as data: which referrals are on each, and in which order."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.referrals.domain.milestones import Wait


class Worklist(StrEnum):
    """The name of a list."""

    OPEN = "open"
    AWAITING_TRIAGE = "awaiting-triage"
    OVERDUE = "overdue"
    SILENT = "silent"
    RETURNED = "returned"
    MINE = "mine"
    OFFERED = "offered"
    ALL = "all"


class Order(StrEnum):
    """What comes first."""

    OLDEST = "oldest"
    """Longest in its state."""
    PRESSING = "pressing"
    """By priority, then the oldest."""
    DUE = "due"
    """Longest past its target time."""


ANSWER = (Wait.ACKNOWLEDGEMENT, Wait.ACCEPTANCE)
"""What a referral waits for until somebody has answered it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What is on a list, and how it is ordered."""

    says: str
    order: Order = Order.OLDEST
    open: bool = True
    unanswered: bool = False
    """Waits for ``ANSWER``."""
    overdue: bool = False
    returned: bool = False
    mine: bool = False
    offered: bool = False


SHAPES: Mapping[Worklist, Shape] = {
    Worklist.OPEN: Shape("Somebody is waited for."),
    Worklist.AWAITING_TRIAGE: Shape("Sent, and accepted by nobody yet.", Order.PRESSING, unanswered=True),
    Worklist.OVERDUE: Shape("Waits longer than its target time.", Order.DUE, overdue=True),
    Worklist.SILENT: Shape(
        "Sent, and past the target time without an answer.", Order.DUE, unanswered=True, overdue=True
    ),
    Worklist.RETURNED: Shape("Given back to the referrer with questions.", returned=True),
    Worklist.MINE: Shape(
        "Asked for by the caller, or owned by the caller, a role or an organization of theirs.", mine=True
    ),
    Worklist.OFFERED: Shape(
        "Offered to the caller, a role or an organization of theirs, and taken by nobody yet.",
        Order.PRESSING,
        offered=True,
    ),
    Worklist.ALL: Shape("Ended ones too.", open=False),
}
