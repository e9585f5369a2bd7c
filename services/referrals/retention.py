"""What referrals lets go of in its own tables: idempotency keys that nobody comes back with."""

from collections.abc import Iterable
from datetime import timedelta

from pydantic import Field

from services.referrals.store import keys
from shared.settings import ConsiliumSettings
from shared.store.sweeping import Sweep


class ReferralRetentionSettings(ConsiliumSettings):
    """How long requests to the REST API of referrals are remembered, in days."""

    retention_idempotency_days: int = Field(default=2, ge=1, le=90)
    """Idempotency keys: who tries again later than that may have the effect a second time."""


def sweeps() -> Iterable[Sweep]:
    """As the environment says."""
    settings = ReferralRetentionSettings()
    yield Sweep("idempotency_key", keys.forgetting(timedelta(days=settings.retention_idempotency_days)))
