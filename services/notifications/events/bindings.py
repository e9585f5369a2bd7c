"""The queues of notifications and what they hear."""

from services.notifications.app.commands import CONSUMER
from services.notifications.events.incoming import hear
from shared.contracts.records import record_event
from shared.copies.keeping import keeping
from shared.service import Binding

_COPIES = "notifications.copies"

BINDINGS = (
    # our own events too: a delivery that failed is told to the coordinators, and an event that no queue hears
    # would come back from the broker again and again
    Binding(CONSUMER, ("referral.#", "careplan.#", "notification.#"), hear),
    Binding(_COPIES, (record_event("referrals"), record_event("careplans")), keeping(_COPIES)),
)
