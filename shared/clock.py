"""Time is handed in: production passes ``system_clock``, tests pass a clock they can move."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Now, in UTC, timezone-aware."""
    return datetime.now(UTC)


def instant(moment: datetime) -> str:
    """A FHIR ``instant`` with milliseconds (http://hl7.org/fhir/R4/datatypes.html#instant)."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
