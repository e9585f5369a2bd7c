"""The service's queue and what it hears."""

from shared.contracts.records import record_event
from shared.copies.keeping import keeping
from shared.service import Binding

_COPIES = "referrals.copies"

BINDINGS = (Binding(_COPIES, (record_event("careplans"),), keeping(_COPIES)),)
