"""Which status may follow which, as data.

CarePlan.status: http://hl7.org/fhir/R4/valueset-request-status.html; Goal.lifecycleStatus: http://hl7.org/fhir/R4/valueset-goal-status.html.
Codes outside the tables are the validation's business, not this module's.
"""

from collections.abc import Mapping

from shared.errors import Conflict

Transitions = Mapping[str, frozenset[str]]

ERROR = "entered-in-error"

CARE_PLAN: Transitions = {
    "draft": frozenset({"active", "on-hold", "revoked", "unknown", ERROR}),
    "active": frozenset({"on-hold", "revoked", "completed", "unknown", ERROR}),
    "on-hold": frozenset({"active", "revoked", "completed", "unknown", ERROR}),
    "unknown": frozenset({"draft", "active", "on-hold", "revoked", "completed", ERROR}),
    "revoked": frozenset({ERROR}),
    "completed": frozenset({ERROR}),
    ERROR: frozenset(),
}

GOAL: Transitions = {
    "proposed": frozenset({"planned", "accepted", "active", "on-hold", "cancelled", "rejected", ERROR}),
    "planned": frozenset({"accepted", "active", "on-hold", "completed", "cancelled", "rejected", ERROR}),
    "accepted": frozenset({"planned", "active", "on-hold", "completed", "cancelled", "rejected", ERROR}),
    "active": frozenset({"on-hold", "completed", "cancelled", ERROR}),
    "on-hold": frozenset({"planned", "accepted", "active", "completed", "cancelled", ERROR}),
    "completed": frozenset({ERROR}),
    "cancelled": frozenset({ERROR}),
    "rejected": frozenset({ERROR}),
    ERROR: frozenset(),
}

TERMINAL_PLAN = frozenset({"revoked", "completed", ERROR})


def require_legal(transitions: Transitions, before: object, after: object, element: str) -> None:
    """Raises ``Conflict`` unless ``after`` is ``before`` or may follow it. ``element`` is the path to name."""
    if before == after or not isinstance(before, str) or before not in transitions:
        return
    if after not in transitions[before]:
        raise Conflict("This status may not follow the present one.", expression=(element,))
