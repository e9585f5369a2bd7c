"""The transitions of a Task, as data: who may take it from where to where, and what that is called.

``HARMONIZED`` are the 34 transitions of 360X and BSeR (http://hl7.org/fhir/us/bser/); ``PLAIN`` is the state machine of
R4 (http://hl7.org/fhir/R4/task.html#statemachine) for Tasks that carry no BSeR business status, as SDOH-CC sends them;
``JOINING`` lets a plain Task take up the business status on its way; ``PAUSED`` is hold, resume and fail inside the
harmonized loop.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

BUSINESS_STATUS = "http://hl7.org/fhir/us/bser/CodeSystem/TaskBusinessStatusCS"
"""http://hl7.org/fhir/us/bser/CodeSystem/TaskBusinessStatusCS; ``5.1`` is in the harmonized table only."""


class Actor(StrEnum):
    """On whose side a caller stands: Task.requester is the initiator, Task.owner the recipient."""

    INITIATOR = "initiator"
    RECIPIENT = "recipient"


class Happened(StrEnum):
    """What a transition means to everybody else."""

    REQUESTED = "requested"
    RECEIVED = "received"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    SCHEDULED = "scheduled"
    RESCHEDULED = "rescheduled"
    NO_SHOW = "no-show"
    APPOINTMENT_CANCELLED = "appointment-cancelled"
    STARTED = "started"
    INTERIM_NOTE = "interim-note"
    CANCELLATION_REQUESTED = "cancellation-requested"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    HELD = "held"
    RESUMED = "resumed"
    FAILED = "failed"
    RETURNED = "returned"
    """With questions; the state stays, as with what follows here."""
    ANSWERED = "answered"
    CLOSED = "closed"
    """The initiator acknowledged the report."""
    ENTERED_IN_ERROR = "entered-in-error"
    UPDATED = "updated"


@dataclass(frozen=True, slots=True)
class State:
    """Task.status with the BSeR code in Task.businessStatus, if there is one."""

    status: str
    business: str | None = None

    def __str__(self) -> str:
        return f"{self.status} {self.business}" if self.business else self.status


@dataclass(frozen=True, slots=True)
class Transition:
    """One legal step."""

    tid: str
    actor: Actor
    trigger: str
    source: State
    target: State
    happened: Happened


def _rows(*lines: str) -> tuple[Transition, ...]:
    return tuple(_row(*(part.strip() for part in line.split("|"))) for line in lines)


def _row(tid: str, actor: str, trigger: str, source: str, target: str, happened: str) -> Transition:
    side = Actor.INITIATOR if actor == "i" else Actor.RECIPIENT
    return Transition(tid, side, trigger, State(*source.split()), State(*target.split()), Happened(happened))


HARMONIZED = _rows(
    "01 | i | Send Referral Package              | draft             | received 2.0      | requested",
    "02 | r | Send Acceptance                    | received 2.0      | accepted 3.0      | accepted",
    "03 | r | Send Decline                       | received 2.0      | rejected 4.0      | declined",
    "04 | i | Send Cancelation Request           | received 2.0      | in-progress 5.2   | cancellation-requested",
    "05 | r | Send Decline                       | accepted 3.0      | rejected 4.0      | declined",
    "06 | r | Send Schedule Visit Information    | accepted 3.0      | in-progress 5.1.1 | scheduled",
    "07 | i | Send Cancelation Request           | accepted 3.0      | in-progress 5.2   | cancellation-requested",
    "08 | r | Send Interim Consultation Note     | accepted 3.0      | in-progress 5.1.4 | interim-note",
    "09 | r | Send Referral Outcome              | accepted 3.0      | completed 7.0     | completed",
    "10 | r | Send Decline                       | in-progress 5.1.1 | rejected 4.0      | declined",
    "11 | r | Send rescheduled visit information | in-progress 5.1.1 | in-progress 5.1.1 | rescheduled",
    "12 | r | Send No Show Information           | in-progress 5.1.1 | in-progress 5.1.2 | no-show",
    "13 | r | Send appointment cancel            | in-progress 5.1.1 | in-progress 5.1.3 | appointment-cancelled",
    "14 | i | Send Cancelation Request           | in-progress 5.1.1 | in-progress 5.2   | cancellation-requested",
    "15 | r | Send Interim Consultation Note     | in-progress 5.1.1 | in-progress 5.1.4 | interim-note",
    "16 | r | Send Referral Outcome              | in-progress 5.1.1 | completed 7.0     | completed",
    "17 | r | Send Decline                       | in-progress 5.1.2 | rejected 4.0      | declined",
    "18 | r | Send rescheduled visit information | in-progress 5.1.2 | in-progress 5.1.1 | rescheduled",
    "19 | r | Send appointment cancel            | in-progress 5.1.2 | in-progress 5.1.3 | appointment-cancelled",
    "20 | i | Send Cancelation Request           | in-progress 5.1.2 | in-progress 5.2   | cancellation-requested",
    "21 | r | Send Schedule Visit Information    | in-progress 5.1.3 | in-progress 5.1.1 | scheduled",
    "22 | i | Send Cancelation Request           | in-progress 5.1.3 | in-progress 5.2   | cancellation-requested",
    "23 | r | Send Cancelation Confirmation      | in-progress 5.2   | cancelled 6.0     | cancelled",
    "24 | r | Send Referral Outcome              | in-progress 5.2   | completed 7.0     | completed",
    "25 | r | Send Decline                       | in-progress 5.1.4 | rejected 4.0      | declined",
    "26 | r | Send Schedule Visit Information    | in-progress 5.1.4 | in-progress 5.1.1 | scheduled",
    "27 | r | Send appointment cancel            | in-progress 5.1.4 | in-progress 5.1.3 | appointment-cancelled",
    "28 | i | Send Cancelation Request           | in-progress 5.1.4 | in-progress 5.2   | cancellation-requested",
    "29 | r | Send Interim Consultation Note     | in-progress 5.1.4 | in-progress 5.1.4 | interim-note",
    "30 | r | Send Referral Outcome              | in-progress 5.1.4 | completed 7.0     | completed",
    "31 | r | Send Schedule Visit Information    | accepted 3.0      | in-progress 5.1   | scheduled",
    "32 | r | Send Interim Consultation Note     | accepted 3.0      | in-progress 5.1   | interim-note",
    "33 | r | Send Decline                       | in-progress 5.1   | rejected 4.0      | declined",
    "34 | i | Send Cancelation Request           | in-progress 5.1   | in-progress 5.2   | cancellation-requested",
)

PLAIN = _rows(
    "P01 | i | Request       | draft       | requested   | requested",
    "P02 | i | Assign        | draft       | ready       | accepted",
    "P03 | i | Cancel        | draft       | cancelled   | cancelled",
    "P04 | r | Receive       | requested   | received    | received",
    "P05 | r | Accept        | requested   | accepted    | accepted",
    "P06 | r | Decline       | requested   | rejected    | declined",
    "P07 | i | Cancel        | requested   | cancelled   | cancelled",
    "P08 | r | Accept        | received    | accepted    | accepted",
    "P09 | r | Decline       | received    | rejected    | declined",
    "P10 | i | Cancel        | received    | cancelled   | cancelled",
    "P11 | r | Start         | accepted    | in-progress | started",
    "P12 | r | Decline       | accepted    | rejected    | declined",
    "P13 | i | Cancel        | accepted    | cancelled   | cancelled",
    "P14 | r | Start         | ready       | in-progress | started",
    "P15 | i | Cancel        | ready       | cancelled   | cancelled",
    "P16 | r | Hold          | in-progress | on-hold     | held",
    "P17 | r | Complete      | in-progress | completed   | completed",
    "P18 | r | Fail          | in-progress | failed      | failed",
    "P19 | i | Cancel        | in-progress | cancelled   | cancelled",
    "P20 | r | Resume        | on-hold     | in-progress | resumed",
    "P21 | r | Fail          | on-hold     | failed      | failed",
    "P22 | i | Cancel        | on-hold     | cancelled   | cancelled",
)


def _paused(business: str) -> tuple[Transition, ...]:
    """Hold, resume, fail with the business status kept; a cancellation request also reaches a paused referral."""
    return _rows(
        f"H{business}a | r | Hold                     | in-progress {business} | on-hold {business}     | held",
        f"H{business}b | r | Resume                   | on-hold {business}     | in-progress {business} | resumed",
        f"H{business}c | r | Fail                     | in-progress {business} | failed {business}      | failed",
        f"H{business}d | r | Fail                     | on-hold {business}     | failed {business}      | failed",
        f"H{business}e | i | Send Cancelation Request | on-hold {business} | in-progress 5.2 | cancellation-requested",
    )


PAUSED = tuple(row for business in ("5.1", "5.1.1", "5.1.2", "5.1.3", "5.1.4") for row in _paused(business))


def _entered_from(plain: State, alike: State) -> tuple[Transition, ...]:
    """The harmonized rows that start at ``alike``, started from the plain state of the same meaning."""
    return tuple(replace(row, tid=f"J{row.tid}", source=plain) for row in HARMONIZED if row.source == alike)


def _asked(source: str, mark: str) -> tuple[Transition, ...]:
    return _rows(
        f"{mark}2 | r | Receive         | {source} | received 2.0  | received",
        f"{mark}3 | r | Send Acceptance | {source} | accepted 3.0  | accepted",
        f"{mark}4 | r | Send Decline    | {source} | rejected 4.0  | declined",
        f"{mark}5 | i | Cancel          | {source} | cancelled 6.0 | cancelled",
    )


JOINING = (
    *_rows("Q1 | i | Request | draft | requested 2.0 | requested"),
    *_asked("requested", "J"),
    *_asked("requested 2.0", "Q"),
    *_entered_from(State("received"), State("received", "2.0")),
    *_entered_from(State("accepted"), State("accepted", "3.0")),
    *_entered_from(State("in-progress"), State("in-progress", "5.1.4")),
)

TRANSITIONS = HARMONIZED + PLAIN + PAUSED + JOINING

OPENING: dict[State, Happened | None] = {
    State("draft"): None,
    State("requested"): Happened.REQUESTED,
    State("requested", "2.0"): Happened.REQUESTED,
    State("received", "2.0"): Happened.REQUESTED,
    State("ready"): Happened.ACCEPTED,
}
"""Where a person may open a Task, and what that tells: ``received 2.0`` is the package as BSeR sends it."""

IMPORTED: dict[str, Happened] = {
    "requested": Happened.REQUESTED,
    "received": Happened.RECEIVED,
    "accepted": Happened.ACCEPTED,
    "ready": Happened.ACCEPTED,
    "rejected": Happened.DECLINED,
    "in-progress": Happened.STARTED,
    "on-hold": Happened.HELD,
    "completed": Happened.COMPLETED,
    "cancelled": Happened.CANCELLED,
    "failed": Happened.FAILED,
    "in-progress 5.1.1": Happened.SCHEDULED,
    "in-progress 5.1.2": Happened.NO_SHOW,
    "in-progress 5.1.3": Happened.APPOINTMENT_CANCELLED,
    "in-progress 5.1.4": Happened.INTERIM_NOTE,
    "in-progress 5.2": Happened.CANCELLATION_REQUESTED,
}
"""What a Task tells that a back end brings in in a later state: the most particular entry counts."""
