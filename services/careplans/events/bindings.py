"""The service's queues and what they hear."""

from services.careplans.events.incoming import plans, referrals
from shared.contracts.careplans import CarePlanEvent
from shared.copies.keeping import copies
from shared.service import Binding

PLANS = (CarePlanEvent.CREATED, CarePlanEvent.UPDATED)
BINDINGS = (
    Binding("careplans.referrals", ("referral.#",), referrals),
    Binding("careplans.sources", PLANS, plans),
    copies("careplans", "referrals", "notifications"),
)
