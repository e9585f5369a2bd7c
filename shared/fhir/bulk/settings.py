"""What bulk data may cost, and for how long its files are kept."""

from datetime import timedelta

from pydantic import Field

from shared.settings import ConsiliumSettings

REMEMBERED = timedelta(days=400)
"""For how long a job's transactionTime leads back to exactly what it saw."""


class BulkSettings(ConsiliumSettings):
    """Jobs of ``$export`` and ``$import``."""

    bulk_expires_hours: float = Field(default=24, gt=0, le=24 * 30)
    """Hours after the kick-off for which a job may run and its files can be fetched."""
    bulk_jobs_per_caller: int = Field(default=5, ge=1, le=1_000)
    """Jobs of one caller that may run at a time; one more is answered with 429."""
    bulk_import_max_bytes: int = Field(default=1024 * 1024 * 1024, gt=0)
    """The largest NDJSON of one ``$import``."""

    @property
    def kept(self) -> timedelta:
        """How long a job and its files are there."""
        return timedelta(hours=self.bulk_expires_hours)
