"""Referrals that may be the same as one that is about to be sent: of the same patient, for the same, for one reason."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.referrals.domain.needs import ReasonCode
from services.referrals.domain.specialty import Specialty, disciplines
from services.referrals.domain.states import TERMINAL
from services.referrals.domain.ties import Party, Tie, tie

RECENT_DAYS = 90
_VOID = frozenset({"draft", "rejected", "cancelled", "failed", "entered-in-error"})
"""What was not sent, or came to nothing: sending again is right."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """A referral of the patient, as far as it matters here."""

    task: str
    status: str
    sent: datetime
    specialties: frozenset[Specialty]
    reasons: frozenset[ReasonCode]
    requester: str | None
    owner: str | None

    @property
    def open(self) -> bool:
        """Whether it was sent, and has not ended."""
        return self.status not in TERMINAL and self.status not in _VOID


@dataclass(frozen=True, slots=True)
class Duplicate:
    """An earlier referral that may make another one needless."""

    task: str
    status: str
    open: bool
    sent: datetime
    owner: str | None
    same: str
    """``specialty``, or only the ``discipline``."""
    reason: str
    """``same``, or ``unknown`` where one of them has none that is coded."""


@dataclass(frozen=True, slots=True)
class Return:
    """An open referral of the patient that goes the other way: from whom this one goes to, to who sends it."""

    task: str
    tie: Tie


def duplicates(
    earlier: Iterable[Earlier],
    specialties: frozenset[Specialty],
    reasons: frozenset[ReasonCode],
    *,
    now: datetime,
    days: int = RECENT_DAYS,
    beside: frozenset[str] = frozenset(),
) -> tuple[Duplicate, ...]:
    """Open referrals, and those sent within ``days``, the latest first; those ``beside`` are the one itself."""
    found = []
    for each in sorted(earlier, key=lambda each: (each.sent, each.task), reverse=True):
        if each.task in beside or each.status in _VOID or not (each.open or now - each.sent <= timedelta(days=days)):
            continue
        same, reason = _same(each.specialties, specialties), _reason(each.reasons, reasons)
        if same and reason:
            found.append(Duplicate(each.task, each.status, each.open, each.sent, each.owner, same, reason))
    return tuple(found)


def returns(
    earlier: Iterable[tuple[Earlier, Party, Party]], sender: Party, receiver: Party, *, beside: frozenset[str]
) -> tuple[Return, ...]:
    """The open referrals from ``receiver`` to ``sender``; each comes with its requester and its owner.

    Within one organization nothing comes back: it never left."""
    found: list[Return] = []
    if tie(sender, receiver) is not None:
        return ()
    for each, requester, owner in earlier:
        near = tie(requester, receiver)
        if each.open and each.task not in beside and near is not None and tie(owner, sender) is not None:
            found.append(Return(each.task, near))
    return tuple(found)


def _same(one: frozenset[Specialty], other: frozenset[Specialty]) -> str | None:
    if one & other:
        return "specialty"
    return "discipline" if disciplines(one) & disciplines(other) else None


def _reason(one: frozenset[ReasonCode], other: frozenset[ReasonCode]) -> str | None:
    if one & other:
        return "same"
    return None if one and other else "unknown"
