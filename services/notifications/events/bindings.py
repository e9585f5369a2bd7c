"""The one queue of notifications and what it hears."""

from services.notifications.app.commands import CONSUMER
from services.notifications.events.incoming import hear
from shared.service import Binding

BINDINGS = (
    # our own events too: a delivery that failed is told to the coordinators, and an event that no queue hears
    # would come back from the broker again and again
    Binding(CONSUMER, ("referral.#", "careplan.#", "notification.#"), hear),
)
