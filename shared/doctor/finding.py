"""A finding, and the report of all of them as text or JSON. Texts name variables and codes, no secret, no patient."""

import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"


EXIT = {Level.OK: 0, Level.WARNING: 1, Level.FAILURE: 2}
"""Level of the worst finding -> exit code of the command."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check saw: a line on how it is, and unless all is well one on what to do."""

    check: str
    level: Level
    what: str
    do: str = ""


Check = Callable[[], Awaitable[Sequence[Finding]]]


def ok(check: str, what: str) -> Finding:
    """All is well."""
    return Finding(check, Level.OK, what)


def warning(check: str, what: str, do: str) -> Finding:
    """It works, but not as it should, or not for long."""
    return Finding(check, Level.WARNING, what, do)


def failure(check: str, what: str, do: str) -> Finding:
    """It does not work."""
    return Finding(check, Level.FAILURE, what, do)


def worst(findings: Iterable[Finding]) -> Level:
    """The worst level among ``findings``."""
    return max((finding.level for finding in findings), key=lambda level: EXIT[level], default=Level.OK)


def as_json(findings: Sequence[Finding]) -> str:
    """``{"status": ..., "findings": [{"check", "level", "what", "do"}]}``."""
    return json.dumps({"status": worst(findings), "findings": [asdict(finding) for finding in findings]}, indent=1)


def as_text(findings: Sequence[Finding]) -> str:
    """A line per finding, and one below it on what to do."""
    lines: list[str] = []
    for finding in findings:
        lines.append(f"{finding.level:<8} {finding.check}: {finding.what}")
        if finding.do:
            lines.append(f"{'':<8}   -> {finding.do}")
    return "\n".join(lines)
