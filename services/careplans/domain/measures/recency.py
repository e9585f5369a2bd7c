"""What is news and what is history: an answer that was given long ago and comes in today raises no alarm of today."""

from datetime import datetime, timedelta

from services.careplans.domain.measures.measure import Source
from services.careplans.domain.measures.series import latest_moment

URGENT_WITHIN = timedelta(days=30)
"""An answer about self-harm is a matter of the same day for so long. PHQ-9 asks about two weeks; as long again is left
for what comes late. Older ones are told as what is on record."""
REVIEW_WITHIN = timedelta(weeks=4)
"""A score calls for a review of the plan for so long: as often as one that misses its target is looked at again."""
SOURCE = Source("Project default, for a clinician to sign off", 2026)


def is_history(measured: str | None, now: datetime, within: timedelta = URGENT_WITHIN) -> bool:
    """Whether what was ``measured`` (a FHIR date or dateTime) lies surely more than ``within`` before ``now``.

    What has no date, or one that nobody can read, is taken for news; of a month or a year its end counts."""
    at = latest_moment(measured)
    return at is not None and now - at > within
