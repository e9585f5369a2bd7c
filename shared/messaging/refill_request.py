"""The request for a refill (see ``refill``), as the transports make it when they find a queue missing."""

from pydantic import BaseModel, ConfigDict

from shared.clock import system_clock
from shared.ids import uuid7
from shared.messaging.envelope import encode, new_event
from shared.messaging.topology import CONTROL, Queue
from shared.messaging.transport import Outgoing

TYPE = "refill"


class RefillRequest(BaseModel):
    """Publish again what ``queue`` hears."""

    model_config = ConfigDict(frozen=True)

    queue: str
    routing_keys: tuple[str, ...]


def refill_queue(service: str) -> Queue:
    """Where the relays of ``service`` hear of refills."""
    return Queue(f"{service}.refill", (TYPE,), exchange=CONTROL)


def refill_request(queue: Queue) -> Outgoing:
    """The request for ``queue``; for a refill queue itself that is one for everything."""
    keys = ("#",) if queue.exchange == CONTROL else queue.routing_keys
    event = new_event(
        id=uuid7(),
        service="messaging",
        type=TYPE,
        subject=queue.name,
        at=system_clock(),
        payload=RefillRequest(queue=queue.name, routing_keys=keys),
    )
    return Outgoing(event.id, event.type, event.subject, encode(event))
