"""The service's queues and what they hear."""

from services.careplans.events.incoming import referrals
from shared.copies.keeping import copies
from shared.service import Binding

BINDINGS = (
    Binding("careplans.referrals", ("referral.#",), referrals),
    copies("careplans", "referrals", "notifications"),
)
