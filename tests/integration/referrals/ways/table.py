"""What should happen, read from tables of our own: the published 34 rows, and a transcript of the other 72.

Nothing here asks the rules of the service. Where somebody changes those, these tables have to be changed, too.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

from shared.security.caller import Caller
from tests.factories.referrals import BACK_END, COORDINATOR, OWNER, OWNING_EHR, REQUESTER, REQUESTING_EHR

State = tuple[str, str]
"""Task.status, and the BSeR code or nothing."""
_HERE = Path(__file__)
_PUBLISHED = _HERE.parents[3] / "unit" / "services" / "referrals" / "harmonized-transitions.csv"
MISTAKE = "entered-in-error"
STATUSES = (
    *("draft", "requested", "received", "accepted", "rejected", "ready"),
    *("cancelled", "in-progress", "on-hold", "failed", "completed", MISTAKE),
)
CODES = ("", "2.0", "3.0", "4.0", "5.1", "5.1.1", "5.1.2", "5.1.3", "5.1.4", "5.2", "6.0", "7.0")
BY_TRIGGER = {
    "Send Referral Package": "requested",
    "Send Acceptance": "accepted",
    "Send Decline": "declined",
    "Send Cancelation Request": "cancellation-requested",
    "Send Schedule Visit Information": "scheduled",
    "Send rescheduled visit information": "rescheduled",
    "Send No Show Information": "no-show",
    "Send appointment cancel": "appointment-cancelled",
    "Send Interim Consultation Note": "interim-note",
    "Send Referral Outcome": "completed",
    "Send Cancelation Confirmation": "cancelled",
}
"""What a trigger of 360X and BSeR tells."""
SIDES: dict[Caller, frozenset[str]] = {
    REQUESTER: frozenset({"initiator"}),
    REQUESTING_EHR: frozenset({"initiator"}),
    COORDINATOR: frozenset({"initiator"}),
    OWNER: frozenset({"recipient"}),
    OWNING_EHR: frozenset({"recipient"}),
    BACK_END: frozenset({"initiator", "recipient"}),
}
"""On which side of the Tasks of this folder a caller stands; everybody else on none."""


@dataclass(frozen=True, slots=True)
class Row:
    """One legal step."""

    tid: str
    actor: str
    event: str
    source: State
    target: State


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a caller tries with a Task in a state. ``news``: with another visit in ``Task.output``."""

    caller: Caller
    source: State
    target: State
    reason: bool = True
    news: bool = False


def _read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8") as lines:
        return [
            Row(
                row["tid"],
                row["actor"],
                row.get("event") or BY_TRIGGER[row["trigger"]],
                (row["from_status"], row["from_business"]),
                (row["to_status"], row["to_business"]),
            )
            for row in csv.DictReader(lines)
        ]


PUBLISHED = _read(_PUBLISHED)
ROWS = [*PUBLISHED, *_read(_HERE.with_name("further-transitions.csv"))]
STATES = sorted({state for row in ROWS for state in (row.source, row.target)} | {(MISTAKE, "")})
EVERYTHING = [(status, code) for status in STATUSES for code in CODES]
"""Also what no table knows."""


def named(state: State) -> str:
    """A state in words."""
    return " ".join(state).strip()


def targets_of(source: State) -> list[State]:
    """Every state of the tables; of a mistake also those with the business status of ``source``, and with another."""
    return [*STATES, *((MISTAKE, code) for code in sorted({source[1], "3.0"}) if code)]


def answer(attempt: Attempt) -> int:
    """The HTTP status that ``attempt`` should have."""
    actors = SIDES.get(attempt.caller, frozenset())
    if not actors:
        return 403
    if attempt.source != attempt.target:
        allowed = actors_of(attempt.source, attempt.target)
        if not allowed:
            return 409
        if not allowed & actors:
            return 403
    if attempt.news and "recipient" not in actors:
        return 403
    return 200 if attempt.reason or not owes_reason(attempt.target) else 422


def actors_of(source: State, target: State) -> frozenset[str]:
    """Who may go from one state to another."""
    if target[0] == MISTAKE != source[0] and target[1] in (source[1], ""):
        return frozenset({"initiator"})
    return frozenset(row.actor for row in ROWS if (row.source, row.target) == (source, target))


def owes_reason(state: State) -> bool:
    """Whether people are owed an explanation of ``state``."""
    return state[0] in ("rejected", "cancelled", "failed", "on-hold") or state == ("in-progress", "5.2")


def told(attempt: Attempt) -> set[str]:
    """What an accepted ``attempt`` may tell, as one event; nothing, where nobody has heard of the Task."""
    found = {row.event for row in ROWS if (row.source, row.target) == (attempt.source, attempt.target)}
    if attempt.source != attempt.target:
        return found or {MISTAKE}
    if attempt.source[0] in ("draft", MISTAKE):
        return set()
    return found if found and attempt.news else {"updated"}
