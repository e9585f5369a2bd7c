"""The steps that an action names, and its answer in every state: our own reading of ``docs/referral-states.md``."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.security.caller import Caller
from tests.integration.referrals.ways.table import MISTAKE, ROWS, SIDES, Attempt, State, named, owes_reason

ACTIONS = {
    # by whom, the rows that tell what, from where if not from everywhere that they begin
    "send": ("initiator", "requested", ""),
    "send-agreed": ("initiator", "accepted", ""),
    "recall": ("initiator", "cancelled", "requested received"),
    "cancel": ("initiator", "cancelled", "draft accepted ready in-progress on-hold"),
    "request-cancellation": ("initiator", "cancellation-requested", ""),
    "mark-as-error": ("initiator", MISTAKE, ""),
    "acknowledge": ("recipient", "received", ""),
    "accept": ("recipient", "accepted", ""),
    "decline": ("recipient", "declined", ""),
    "schedule": ("recipient", "scheduled", ""),
    "reschedule": ("recipient", "rescheduled", ""),
    "record-no-show": ("recipient", "no-show", ""),
    "cancel-appointment": ("recipient", "appointment-cancelled", ""),
    "start": ("recipient", "started", ""),
    "send-note": ("recipient", "interim-note", ""),
    "hold": ("recipient", "held", ""),
    "resume": ("recipient", "resumed", ""),
    "complete": ("recipient", "completed", ""),
    "fail": ("recipient", "failed", ""),
    "confirm-cancellation": ("recipient", "cancelled", ""),
}
NEEDED = {"send-note": {"note": "DocumentReference/n1"}, "complete": {"report": "DiagnosticReport/r1"}}
APPOINTMENT = {"appointment": "Appointment/a1"}


@dataclass(frozen=True)
class Step:
    """An action that a caller takes in a state, and the HTTP status that it should have."""

    caller: Caller
    source: State
    action: str
    status: int
    target: State | None = None
    """Where it leads, if it is accepted."""
    inputs: dict[str, str] = field(default_factory=dict)

    @property
    def attempt(self) -> Attempt:
        """The step that it is, if it is accepted."""
        assert self.target is not None
        return Attempt(self.caller, self.source, self.target, news=True)

    def __str__(self) -> str:
        return f"{self.caller.subject}: {self.action} {self.inputs} in {named(self.source)}"


def targets(action: str, source: State) -> list[State]:
    """Where ``action`` leads from ``source``."""
    side, event, statuses = ACTIONS[action]
    if event == MISTAKE:
        return [] if source[0] == MISTAKE else [(MISTAKE, source[1])]
    found = [row.target for row in ROWS if (row.actor, row.event, row.source) == (side, event, source)]
    return found if not statuses or source[0] in statuses.split() else []


def steps(caller: Caller, source: State) -> Iterator[Step]:
    """Every action of ``caller`` in ``source``: in each way that is possible, and in some that are not."""
    for action, (side, _, _) in ACTIONS.items():
        goals = targets(action, source)
        if side not in SIDES.get(caller, ()):
            yield Step(caller, source, action, 403)
        elif not goals:
            yield Step(caller, source, action, 409)
        else:
            yield from _taken(caller, source, action, goals)


def _taken(caller: Caller, source: State, action: str, goals: list[State]) -> Iterator[Step]:
    needed = dict(NEEDED.get(action, {})) | (APPOINTMENT if source in goals and action == "reschedule" else {})
    if any(map(owes_reason, goals)):
        needed["reason"] = "Because."
    for goal in goals:
        chosen = {"state": named(goal)} if len(goals) > 1 else {}
        yield Step(caller, source, action, 200, goal, needed | chosen)
    yield Step(caller, source, action, 422, None, needed | {"state": "draft"})
    for name in needed:
        fewer = {other: value for other, value in needed.items() if other != name}
        # why it is cancelled was said when that was asked for
        again = action == "confirm-cancellation"
        yield Step(caller, source, action, 200 if again else 422, goals[0] if again else None, fewer)
