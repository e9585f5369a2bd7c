"""The service's queues and what they hear."""

from services.careplans.events.incoming import referrals
from shared.service import Binding

BINDINGS = (Binding("careplans.referrals", ("referral.#",), referrals),)
