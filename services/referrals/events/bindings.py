"""The service's queue and what it hears."""

from shared.copies.keeping import copies

BINDINGS = (copies("referrals", "careplans"),)
