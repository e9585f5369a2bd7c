"""The service's queues and what they hear."""

from services.careplans.events.incoming import referrals
from shared.contracts.records import record_event
from shared.copies.keeping import keeping
from shared.service import Binding

_COPIES = "careplans.copies"

BINDINGS = (
    Binding("careplans.referrals", ("referral.#",), referrals),
    Binding(_COPIES, (record_event("referrals"), record_event("notifications")), keeping(_COPIES)),
)
