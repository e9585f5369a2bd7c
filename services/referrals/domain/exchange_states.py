"""How two sides of one referral come to the same state again, whoever moved.

Three states count: what both agreed on last, where it is here, where it is there. What the initiator wants is asked of
the other side by a step that is legal there; what the other side did is followed here by legal steps. Where there are
none the other side's word stands, and everybody sees that it was taken so.
"""

from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from services.referrals.domain.referral import CANCELLATION_REQUESTED
from services.referrals.domain.states import ENTERED_IN_ERROR
from services.referrals.domain.transitions import OPENING, TRANSITIONS, Actor, Happened, State, Transition

_WITHDRAWING = (Happened.CANCELLED, Happened.CANCELLATION_REQUESTED)
_NEXT: dict[State, list[Transition]] = {}
for _row in TRANSITIONS:
    _NEXT.setdefault(_row.source, []).append(_row)


class Course(StrEnum):
    """What is to be done here about where the referral is there."""

    SETTLED = "settled"
    FOLLOWED = "followed"
    """By steps of the recipient."""
    FOLLOWED_FOR_BOTH = "followed-for-both"
    """By steps of which some are the initiator's: the other side took them for us."""
    WORD = "word"
    """No step leads there: the other side's word stands."""
    AHEAD = "ahead"
    """Somebody here wrote down what the other side has yet to say."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done here, and the states to go through, the last one included."""

    course: Course
    states: tuple[State, ...] = ()


def sent_as(state: State) -> State:
    """In which state a referral that is in ``state`` here begins on the other side."""
    if OPENING.get(state) is Happened.REQUESTED:
        return state
    return State("received", "2.0") if state.business else State("requested")


def wish(agreed: State, here: State, there: State) -> State | None:
    """Where the initiator wants it to be there, by a step that is theirs; None for no wish, or one that comes too late.

    Only withdrawing and a mistake are the initiator's, once it was sent."""
    if here == agreed or same(here, there):
        return None
    if here.status == ENTERED_IN_ERROR:
        return State(ENTERED_IN_ERROR, there.business)
    return withdrawal(there, here) if here.status == "cancelled" or here == CANCELLATION_REQUESTED else None


def withdrawal(there: State, like: State | None = None) -> State | None:
    """Where the initiator can take a referral back to; ``like`` that if there is a choice. None: they cannot."""
    rows = (row for row in _NEXT.get(there, ()) if row.actor is Actor.INITIATOR)
    goals = [row.target for row in rows if row.happened in _WITHDRAWING]
    return like if like in goals else next(iter(goals), None)


def plan(agreed: State, here: State, there: State) -> Plan:
    """How ``here`` follows ``there``, when there is no wish that could be fulfilled any more."""
    if same(here, there):
        return Plan(Course.SETTLED)
    if there == agreed:
        return Plan(Course.AHEAD)
    if there.status == ENTERED_IN_ERROR:
        return Plan(Course.FOLLOWED_FOR_BOTH, (State(ENTERED_IN_ERROR, here.business),))
    for course, actors in ((Course.FOLLOWED, (Actor.RECIPIENT,)), (Course.FOLLOWED_FOR_BOTH, tuple(Actor))):
        path = shortest(here, there, actors)
        if path is not None:
            return Plan(course, path)
    return Plan(Course.WORD, (there,))


def same(one: State, other: State) -> bool:
    """Whether both sides agree: a mistake is one, wherever it was found out."""
    return one == other or one.status == other.status == ENTERED_IN_ERROR


def shortest(source: State, goal: State, actors: Collection[Actor]) -> tuple[State, ...] | None:
    """The states of the shortest way from ``source`` to ``goal`` by steps of ``actors``; None where there is none."""
    before: dict[State, State | None] = {source: None}
    waiting = deque([source])
    while waiting:
        state = waiting.popleft()
        if state == goal:
            return tuple(reversed(list(_back(goal, before))))[1:]
        for row in _NEXT.get(state, ()):
            if row.actor in actors and row.target not in before:
                before[row.target] = state
                waiting.append(row.target)
    return None


def _back(state: State | None, before: dict[State, State | None]) -> Iterable[State]:
    while state is not None:
        yield state
        state = before[state]
