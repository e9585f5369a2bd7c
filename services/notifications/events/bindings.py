"""The queues of notifications and what they hear."""

from services.notifications.app.commands import CONSUMER
from services.notifications.events.incoming import hear
from shared.copies.keeping import copies
from shared.service import Binding

BINDINGS = (
    # our own events too: a delivery that failed is told to the coordinators, and an event that no queue hears
    # would come back from the broker again and again
    Binding(
        CONSUMER,
        (
            *("referral.#", "referral-clock.#", "referral-exchange.#"),
            *("careplan.#", "safety.#", "outcome.#", "diagnosis.#", "notification.#"),
        ),
        hear,
    ),
    copies("notifications", "referrals", "careplans"),
)
