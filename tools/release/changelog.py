"""CHANGELOG.md as data (https://keepachangelog.com/en/1.1.0/): what is strange in it is an error, not a guess."""

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from tools.release.versions import Version, parse_version

FILE = "CHANGELOG.md"
GROUPS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
UNRELEASED = "## [Unreleased]"
_RELEASE = re.compile(r"## \[(?P<version>[^\]]+)\] - (?P<day>\d{4}-\d{2}-\d{2})(?P<yanked> \[YANKED\])?")
_LINK = re.compile(r"\[[^\]]+\]: \S+")


class ChangelogError(ValueError):
    """The changelog does not have its form; the text names the line."""


@dataclass(frozen=True, slots=True)
class Section:
    """One release, or what is not released yet (no version, no day)."""

    version: Version | None
    day: date | None
    groups: dict[str, list[str]]
    yanked: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing is told here."""
        return not any(self.groups.values())


def read(root: Path) -> list[Section]:
    """The sections of the project's changelog. Raises ``ChangelogError``."""
    return parse((root / FILE).read_text())


def parse(text: str) -> list[Section]:
    """The sections, newest first; the first is what is unreleased. Raises ``ChangelogError``."""
    sections: list[Section] = []
    entries: list[str] | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("## "):
            sections.append(_section(line, number, sections))
            entries = None
        elif not sections:
            continue  # the title and what it says
        elif line.startswith("### "):
            entries = _group(line, number, sections[-1])
        elif line.startswith("- ") and entries is not None:
            entries.append(line[2:])
        elif line.startswith("  ") and entries:
            entries[-1] += f" {line.strip()}"
        elif line.strip() and not _LINK.fullmatch(line):
            raise ChangelogError(f"line {number}: neither a heading, nor an entry below one")
    if not sections:
        raise ChangelogError("there is no section")
    return sections


def notes(text: str, version: Version) -> str:
    """The lines of one release, without its heading. Raises ``ChangelogError``."""
    _, found, rest = text.partition(f"## [{version}] - ")
    if not found:
        raise ChangelogError(f"there is no section for {version}")
    body = rest.partition("\n")[2]
    return re.split(r"^## ", body, maxsplit=1, flags=re.MULTILINE)[0].strip() + "\n"


def released(text: str, version: Version, day: date) -> str:
    """``text`` in which what was unreleased is ``version`` of ``day``. Raises ``ChangelogError``."""
    if parse(text)[0].empty:
        raise ChangelogError("nothing is unreleased")
    return text.replace(UNRELEASED, f"{UNRELEASED}\n\n## [{version}] - {day}", 1)


def _section(line: str, number: int, before: list[Section]) -> Section:
    if line == UNRELEASED and not before:
        return Section(None, None, {})
    match = _RELEASE.fullmatch(line)
    if match is None or not before:
        raise ChangelogError(f"line {number}: expected {UNRELEASED} first, then ## [X.Y.Z] - YYYY-MM-DD")
    try:
        version, day = parse_version(match["version"]), date.fromisoformat(match["day"])
    except ValueError as error:
        raise ChangelogError(f"line {number}: {error}") from error
    newer = before[-1]
    if newer.version is not None and newer.day is not None and (version >= newer.version or day > newer.day):
        raise ChangelogError(f"line {number}: releases stand newest first")
    return Section(version, day, {}, yanked=match["yanked"] is not None)


def _group(line: str, number: int, section: Section) -> list[str]:
    name = line.removeprefix("### ")
    if name not in GROUPS or name in section.groups:
        raise ChangelogError(f"line {number}: one heading each of {', '.join(GROUPS)}")
    if section.groups and GROUPS.index(name) < GROUPS.index(list(section.groups)[-1]):
        raise ChangelogError(f"line {number}: groups stand in the order {', '.join(GROUPS)}")
    return section.groups.setdefault(name, [])
