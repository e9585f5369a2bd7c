"""The state of a Task and whether a step from it is legal (http://hl7.org/fhir/R4/task.html#statemachine)."""

from collections.abc import Collection

from services.referrals.domain.references import codings
from services.referrals.domain.transitions import (
    BUSINESS_STATUS,
    IMPORTED,
    OPENING,
    TRANSITIONS,
    Actor,
    Happened,
    State,
    Transition,
)
from shared.errors import Conflict, Forbidden, Unprocessable
from shared.fhir.json import Resource

ENTERED_IN_ERROR = "entered-in-error"
TERMINAL = frozenset({"rejected", "cancelled", "failed", "completed", ENTERED_IN_ERROR})
BUSINESS_CODES = frozenset(
    state.business for row in TRANSITIONS for state in (row.source, row.target) if state.business is not None
)

_BY_PAIR: dict[tuple[State, State], tuple[Transition, ...]] = {}
for _row in TRANSITIONS:
    _BY_PAIR[_row.source, _row.target] = (*_BY_PAIR.get((_row.source, _row.target), ()), _row)


def state_of(task: Resource) -> State:
    """The state of ``task``. A business status from another code system, or text, does not count.

    Raises ``Unprocessable`` for a code that the BSeR code system does not have, and for several of its codes."""
    named = {code for system, code in codings(task.get("businessStatus")) if system == BUSINESS_STATUS}
    if not named <= BUSINESS_CODES:
        raise Unprocessable(
            "The business status is not a code of the BSeR code system.",
            code="code-invalid",
            expression=("Task.businessStatus",),
        )
    if len(named) > 1:
        raise Unprocessable("A Task has one business status.", expression=("Task.businessStatus",))
    return State(task["status"], named.pop() if named else None)


def steps(source: State, target: State) -> tuple[Transition, ...]:
    """The rows from ``source`` to ``target``, whoever may take them; a row that stays in place is among them."""
    if target.status == ENTERED_IN_ERROR != source.status and target.business in (source.business, None):
        return (_correction(source, target),)
    return _BY_PAIR.get((source, target), ())


def check_step(source: State, target: State, actors: Collection[Actor]) -> None:
    """Raise ``Conflict`` where nobody may go from ``source`` to ``target``, ``Forbidden`` where only others may."""
    rows = steps(source, target)
    if not rows:
        raise Conflict(
            "A terminal state is left by no transition but to entered-in-error."
            if source.status in TERMINAL
            else "The present status allows no transition to that status and business status.",
            expression=("Task.status", "Task.businessStatus"),
        )
    if not any(row.actor in actors for row in rows):
        raise Forbidden(f"Only the {rows[0].actor} may make this transition.", expression=("Task.status",))


def opened(state: State, *, imported: bool) -> Happened | None:
    """What it tells that a Task came to be in ``state``. A draft, or a mistake, tells nothing.

    Raises ``Unprocessable`` where a person may not begin there (a back end that imports may begin anywhere)."""
    if state in OPENING:
        return OPENING[state]
    if not imported:
        raise Unprocessable("A Task does not begin in this status.", expression=("Task.status", "Task.businessStatus"))
    return IMPORTED.get(str(state)) or IMPORTED.get(state.status)


def _correction(source: State, target: State) -> Transition:
    return Transition("E01", Actor.INITIATOR, "Mark as error", source, target, Happened.ENTERED_IN_ERROR)
