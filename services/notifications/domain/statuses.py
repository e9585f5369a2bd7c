"""Which status may follow which, as data.

Communication: http://hl7.org/fhir/R4/event.html#statemachine; CommunicationRequest: http://hl7.org/fhir/R4/request.html#statemachine.
A write says what is so now, not every step on the way: it may skip steps forward, never go back, and an end is an end.
"""

from collections.abc import Mapping

from shared.errors import Conflict

Transitions = Mapping[str, frozenset[str]]

_EVENT_ENDS = ("completed", "stopped", "entered-in-error")

EVENT: Transitions = {
    "preparation": frozenset({"in-progress", "on-hold", "not-done", "unknown", *_EVENT_ENDS}),
    "in-progress": frozenset({"on-hold", "unknown", *_EVENT_ENDS}),
    "on-hold": frozenset({"in-progress", "unknown", *_EVENT_ENDS}),
    "unknown": frozenset({"preparation", "in-progress", "on-hold", "not-done", *_EVENT_ENDS}),
    "not-done": frozenset({"entered-in-error"}),
    "completed": frozenset({"entered-in-error"}),
    "stopped": frozenset({"entered-in-error"}),
    "entered-in-error": frozenset(),
}

_REQUEST_ENDS = ("revoked", "completed", "entered-in-error")

REQUEST: Transitions = {
    "draft": frozenset({"active", "on-hold", "unknown", *_REQUEST_ENDS}),
    "active": frozenset({"on-hold", "unknown", *_REQUEST_ENDS}),
    "on-hold": frozenset({"active", "unknown", *_REQUEST_ENDS}),
    "unknown": frozenset({"draft", "active", "on-hold", *_REQUEST_ENDS}),
    "revoked": frozenset({"entered-in-error"}),
    "completed": frozenset({"entered-in-error"}),
    "entered-in-error": frozenset(),
}


def check_transition(table: Transitions, before: str, after: str) -> None:
    """Raises ``Conflict`` where ``table`` does not lead from ``before`` to ``after``."""
    if before != after and after not in table.get(before, frozenset()):
        raise Conflict("The status may not change this way.", expression=("status",))
