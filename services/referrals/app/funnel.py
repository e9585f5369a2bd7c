"""The referral funnel as figures: how many referrals took which step, and how long after they were asked for."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

from services.referrals.domain.events import ReferralChanged
from services.referrals.domain.transitions import Happened
from shared.fhir.kinds import Fact
from shared.security.caller import Discipline
from shared.telemetry.instruments import counts, timings

NO_DISCIPLINE = "none"
MILESTONES = frozenset({Happened.ACCEPTED, Happened.DECLINED, Happened.SCHEDULED, Happened.STARTED, Happened.COMPLETED})

HOUR, DAY = 3600.0, 86400.0

STEPS = counts("consilium.referral.steps", "Steps of referrals.", "step", "discipline", unit="{referral}")
ELAPSED = timings(
    "consilium.referral.elapsed",
    "From Task.authoredOn to the step.",
    "step",
    "discipline",
    bounds=(HOUR, 4 * HOUR, DAY, 2 * DAY, 4 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 60 * DAY, 90 * DAY, 180 * DAY),
)
"""Of milestones only."""

for _step in Happened:
    for _discipline in (*Discipline, NO_DISCIPLINE):
        STEPS.expect(_step.value, str(_discipline))


def observe(facts: Sequence[Fact]) -> None:
    """Count what was committed, or prepared as a part of a transaction over services: whoever finishes that knows no
    facts any more, so what is rolled back then, which is rare, stays counted."""
    for fact in facts:
        if isinstance(fact, ReferralChanged):
            step, discipline = fact.happened, fact.discipline or NO_DISCIPLINE
            STEPS.add(step.value, discipline)
            if step in MILESTONES and fact.authored_on:
                with suppress(ValueError):  # FHIR knows moments that Python does not: leap seconds, years alone
                    asked = datetime.fromisoformat(fact.authored_on)
                    asked = asked if asked.tzinfo else asked.replace(tzinfo=UTC)
                    ELAPSED.add(max(0.0, (datetime.now(UTC) - asked).total_seconds()), step.value, discipline)
