"""When nobody is there (http://hl7.org/fhir/R4/healthcareservice-definitions.html#HealthcareService.notAvailable)."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from services.referrals.domain.dates import Days, days_of_period
from services.referrals.domain.extensions import listed


def absences_of(resource: Mapping[str, Any]) -> tuple[Days, ...]:
    """The times of absence that a service or role states, in order."""
    stated = (days_of_period(each.get("during")) for each in listed(resource, "notAvailable"))
    return tuple(sorted((days for days in stated if days is not None), key=lambda days: (days.first, days.last)))


def there_again(absences: Iterable[Days], day: date) -> date | None:
    """The first day from ``day`` on without an absence; None where it never ends."""
    for days in sorted(absences, key=lambda days: days.first):
        if days.first > day:
            break
        if days.last >= day:
            if days.last == date.max:
                return None
            day = days.last + timedelta(days=1)
    return day
