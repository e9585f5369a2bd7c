"""What relays and consumers outlive: see ``shared.store.losses``."""

from shared.store.losses import DATABASE_LOSSES

__all__ = ["DATABASE_LOSSES"]
