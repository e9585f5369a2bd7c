"""What people do with a referral, in the words of the clinic, as data.

Most actions are named ways through the tables of ``transitions``: an action takes the rows of its actor that tell what
it stands for. The others leave the state as it is. What is legal, the tables and ``task.decide`` say.

In a row: code, sides (initiator, recipient), display, what the rows tell that it takes, the statuses from which (none:
those of its rows), its particular inputs, definition.
"""

from dataclasses import dataclass
from enum import StrEnum

from services.referrals.domain.inputs import Name
from services.referrals.domain.marks import ASKABLE, REROUTED_AFTER
from services.referrals.domain.states import ENTERED_IN_ERROR, steps
from services.referrals.domain.transitions import TRANSITIONS, Actor, Happened, State, Transition


class Code(StrEnum):
    """The name of an action: the last part of its address."""

    SEND = "send"
    SEND_AGREED = "send-agreed"
    RECALL = "recall"
    CANCEL = "cancel"
    REQUEST_CANCELLATION = "request-cancellation"
    REROUTE = "reroute"
    ANSWER = "answer"
    ACKNOWLEDGE_REPORT = "acknowledge-report"
    MARK_AS_ERROR = "mark-as-error"
    OFFER = "offer"
    GIVE_BACK = "give-back"
    ASSIGN = "assign"
    CLAIM = "claim"
    ACKNOWLEDGE = "acknowledge"
    ACCEPT = "accept"
    DECLINE = "decline"
    RETURN_WITH_QUESTIONS = "return-with-questions"
    SCHEDULE = "schedule"
    RESCHEDULE = "reschedule"
    RECORD_NO_SHOW = "record-no-show"
    CANCEL_APPOINTMENT = "cancel-appointment"
    START = "start"
    SEND_NOTE = "send-note"
    HOLD = "hold"
    RESUME = "resume"
    COMPLETE = "complete"
    FAIL = "fail"
    CONFIRM_CANCELLATION = "confirm-cancellation"


@dataclass(frozen=True, slots=True)
class Action:
    """One action. ``takes`` are its particular inputs, and whether it needs them."""

    code: Code
    display: str
    definition: str
    actors: frozenset[Actor]
    happened: Happened | None = None
    """The rows of the tables that it takes; None where the state stays, or another action's rows are taken."""
    statuses: frozenset[str] | None = None
    """The statuses from which; None: those of its rows."""
    takes: tuple[tuple[Name, bool], ...] = ()


def _rows(*lines: str) -> dict[Code, Action]:
    actions = [_row(*(part.strip() for part in line.split("|"))) for line in lines]
    return {action.code: action for action in actions}


def _row(code: str, sides: str, display: str, happened: str, statuses: str, takes: str, definition: str) -> Action:
    """``sides`` are initials of actors; an input with an exclamation mark is needed."""
    return Action(
        Code(code),
        display,
        definition,
        frozenset(actor for actor in Actor if actor[0] in sides),
        Happened(happened) if happened else None,
        frozenset(statuses.split()) or None,
        tuple((Name(word.rstrip("!")), word.endswith("!")) for word in takes.split()),
    )


_ASKABLE = " ".join(sorted(ASKABLE))
_REROUTABLE = " ".join(sorted(ASKABLE | REROUTED_AFTER))

ACTIONS = _rows(
    "send | i | Send | requested | | | Send a draft to whom it is for.",
    "send-agreed | i | Send as agreed | accepted | | | Send a draft that the recipient has agreed to already.",
    "recall | i | Recall | cancelled | requested received | | Take it back before anybody has accepted it.",
    "cancel | i | Cancel | cancelled | draft accepted ready in-progress on-hold | "
    "| Give up a draft, or end what was accepted.",
    "request-cancellation | i | Ask to cancel | cancellation-requested | | "
    "| Ask the recipient to end it; they confirm that, or complete it.",
    f"reroute | i | Offer to somebody else | | {_REROUTABLE} | owner! "
    "| End it here, if it has not ended, and send a new referral of the same order.",
    f"answer | i | Answer the questions | | {_ASKABLE} | answer! | Answer what the recipient asked.",
    "acknowledge-report | i | Acknowledge the report | | completed | "
    "| Say that the report was read; it closes the loop.",
    "mark-as-error | i | Mark as error | entered-in-error | | reason | Say that it should never have been.",
    "assign | ir | Assign | | draft requested received ready | owner! "
    "| Name whom it is for; a recipient hands it to somebody of their own.",
    "offer | i | Offer to several | | draft requested | recipients! "
    "| Offer it to several at once: the first to accept it has it, and the others do not any more.",
    "give-back | | Give the offer back | | requested | | Leave what is offered to several to the others.",
    "claim | | Claim | | requested received | owner | Make one's own what nobody owns, without accepting it yet.",
    "acknowledge | r | Acknowledge receipt | received | | | Say that it has come.",
    "accept | r | Accept | accepted | | owner | Take it on, in person if an owner is named.",
    "decline | r | Decline | declined | | | Refuse it, with a reason.",
    f"return-with-questions | r | Return with questions | | {_ASKABLE} | questions! "
    "| Ask the referrer something; the state stays.",
    "schedule | r | Schedule | scheduled | | appointment | Say that an appointment was booked.",
    "reschedule | r | Reschedule | rescheduled | | appointment | Say that the appointment was moved.",
    "record-no-show | r | Record a no-show | no-show | | reason | Say that the patient did not come.",
    "cancel-appointment | r | Cancel the appointment | appointment-cancelled | | reason "
    "| Say that the appointment does not take place.",
    "start | r | Start | started | | | Say that work has begun.",
    "send-note | r | Send a note | interim-note | | note! | Send an interim consultation note.",
    "hold | r | Hold | held | | | Interrupt it, with a reason.",
    "resume | r | Resume | resumed | | | Go on after an interruption.",
    "complete | r | Complete | completed | | report! | Send the consultation report: the referral is fulfilled.",
    "fail | r | Fail | failed | | | Say that it could not be fulfilled, with a reason.",
    "confirm-cancellation | r | Confirm the cancellation | cancelled | | | End it as the referrer asked.",
)


def rows(action: Action, source: State) -> tuple[Transition, ...]:
    """The rows of the tables that ``action`` takes from ``source``; none where it keeps the state, or is not for it."""
    if action.happened is None or (action.statuses is not None and source.status not in action.statuses):
        return ()
    if action.happened is Happened.ENTERED_IN_ERROR:
        return steps(source, State(ENTERED_IN_ERROR, source.business))
    return tuple(
        row
        for row in TRANSITIONS
        if row.source == source and row.happened is action.happened and row.actor in action.actors
    )


def targets(action: Action, source: State, *, harmonized: bool = False) -> tuple[State, ...]:
    """Where ``action`` leads from ``source``, the first by default.

    Of a plain state and those of BSeR the plain one comes first, unless the Task is ``harmonized``."""
    found = [row.target for row in rows(action, source)]
    return tuple(sorted(found, key=lambda state: (state.business is None) == harmonized))


def withdrawals(source: State, *, harmonized: bool = False) -> tuple[State, ...]:
    """How the initiator's side ends a referral in ``source`` on its own, the first by default."""
    ways = (targets(ACTIONS[code], source, harmonized=harmonized) for code in (Code.RECALL, Code.CANCEL))
    return tuple(state for way in ways for state in way)
