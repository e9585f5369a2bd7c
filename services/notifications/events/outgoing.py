"""How a delivery ended, as notifications says it."""

from collections.abc import Iterable

from pydantic import BaseModel

from services.notifications.domain.delivery import Ended, Status
from shared.contracts.notifications import NotificationEvent, NotificationV1
from shared.fhir.kinds import Fact
from shared.security.caller import Caller
from shared.store.resources import Stored


def outgoing(fact: Fact, stored: Stored, caller: Caller) -> Iterable[tuple[str, str, BaseModel]]:
    """(event type, subject, payload) for ``fact``; a Communication that clients write tells nothing."""
    if isinstance(fact, Ended):
        type_ = NotificationEvent.DELIVERED if fact.status is Status.DELIVERED else NotificationEvent.FAILED
        subject = f"Communication/{fact.communication}"
        payload = NotificationV1(
            communication=subject,
            recipient=fact.receiver,
            channel=fact.channel,
            attempts=fact.attempts,
            caused_by=fact.event_id,
            occurred_at=fact.at,
        )
        yield type_, subject, payload
