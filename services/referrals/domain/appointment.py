"""The decision about an Appointment: whoever treats or coordinates writes it."""

from shared.errors import Forbidden
from shared.fhir.json import Resource
from shared.fhir.kinds import Decision, DecisionContext
from shared.security.caller import Role


def decide(before: Resource | None, after: Resource | None, context: DecisionContext) -> Decision:
    """Raises ``Forbidden`` for patients, who would else change anybody's."""
    if context.caller.role is Role.PATIENT:
        raise Forbidden("A patient does not change appointments.")
    return Decision(after)
