"""The types that notifications owns, and what is particular about each."""

from services.notifications.domain.own import require_own
from services.notifications.domain.statuses import EVENT, REQUEST, Transitions, check_transition
from shared import provenance
from shared.errors import Forbidden, Unprocessable
from shared.fhir.json import Resource
from shared.fhir.kinds import Decide, Decision, DecisionContext, Registry, ResourceKind
from shared.security.caller import Role

CLIENT_STATUSES = frozenset({"requested", "off"})
"""What a client may say of its Subscription; ``active`` and ``error`` are the server's words
(http://hl7.org/fhir/R4/subscription.html#Subscription)."""


def _follows(table: Transitions) -> Decide:
    """A status follows another by ``table``; a patient writes only what is theirs."""

    def decide(before: Resource | None, after: Resource | None, context: DecisionContext) -> Decision:
        if context.caller.role is Role.PATIENT:
            require_own(context.caller, before, after)
        if before is not None and after is not None:
            check_transition(table, before["status"], after["status"])
        return Decision(after)

    return decide


def decide_subscription(before: Resource | None, after: Resource | None, context: DecisionContext) -> Decision:
    """Raises ``Forbidden`` for patients and ``Unprocessable`` for a status that only the server may set."""
    if context.caller.role is Role.PATIENT:
        raise Forbidden("Patients have no subscriptions.")
    status = None if after is None else after["status"]
    unchanged = before is not None and before["status"] == status
    if status is not None and status not in CLIENT_STATUSES and not unchanged:
        text = "A client asks for a subscription or ends it; nothing else."
        raise Unprocessable(text, expression=("Subscription.status",))
    return Decision(after)


KINDS = Registry(
    (
        ResourceKind("Communication", decide=_follows(EVENT)),
        ResourceKind("CommunicationRequest", decide=_follows(REQUEST)),
        ResourceKind("Subscription", decide=decide_subscription),
        provenance.KIND,
    )
)
