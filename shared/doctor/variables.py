"""``CONSILIUM_`` variables that nothing reads: most often a typo, which would otherwise be silent."""

import os
from collections.abc import Mapping
from difflib import get_close_matches

from shared.doctor.finding import Finding, ok, warning
from shared.doctor.known import KNOWN

PREFIX = "CONSILIUM_"


def unknown(environment: Mapping[str, str] | None = None) -> dict[str, str | None]:
    """Each variable that nothing reads, and the nearest name that something does; values are not looked at."""
    given = os.environ if environment is None else environment
    strange = sorted(name for name in given if name.upper().startswith(PREFIX) and name.upper() not in KNOWN)
    return {name: _nearest(name.upper().removeprefix(PREFIX)) for name in strange}


def _nearest(given: str) -> str | None:
    close = get_close_matches(given, [name.removeprefix(PREFIX) for name in KNOWN], 1, 0.6)
    return f"{PREFIX}{close[0]}" if close else None


def told(environment: Mapping[str, str] | None = None) -> list[str]:
    """A line for each of ``unknown``."""
    return [
        f"{name} is not read by anything" + (f"; is {nearest} meant?" if nearest else ".")
        for name, nearest in unknown(environment).items()
    ]


def findings(environment: Mapping[str, str] | None = None) -> list[Finding]:
    """The same as findings."""
    lines = [
        warning("variables", line, "Correct or remove it; docs/configuration.md has all.") for line in told(environment)
    ]
    return lines or [ok("variables", "every CONSILIUM_ variable is known")]
