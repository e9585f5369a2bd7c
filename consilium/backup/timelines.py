"""The courses of events that a restore of a backup may follow: each restore on an archive begins another one.

https://www.postgresql.org/docs/18/continuous-archiving.html#BACKUP-TIMELINES: a timeline's history file names
those that it comes from, and where in the log each was left.
"""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from consilium.backup.wal import SEGMENT
from shared.process.mistakes import Mistake

Wanted = int | Literal["latest"] | None
"""The timeline to follow: its number, the newest one, or the only one that there is."""

HISTORY = ".history.gz"


@dataclass(frozen=True, slots=True)
class Timeline:
    """One course of events. Times are UTC."""

    number: int
    parent: int | None
    """The one that it branched off; None for the backup's own."""
    branched: datetime | None
    archived: datetime | None
    """When a part of it was last archived; None where none was."""


def chosen(shelf: Path, manifest: dict[str, Any], wanted: Wanted) -> int:
    """The number of the timeline to follow from the backup with that ``manifest``; ``shelf`` is its cluster's archive.

    Raises ``Mistake`` where there are several and none is wanted, or where the one that is does not pass the backup."""
    found = passing(shelf, manifest)
    if wanted is None and len(found) > 1:
        raise Mistake(_question(found))
    if wanted is None or wanted == "latest":
        return found[-1].number
    if wanted not in {one.number for one in found}:
        raise Mistake("--timeline: the archive has no such timeline, or it does not pass this backup.")
    return wanted


def passing(shelf: Path, manifest: dict[str, Any]) -> list[Timeline]:
    """The backup's own timeline and those that branched off after it, by number."""
    span = manifest["WAL-Ranges"][-1]
    own, end = int(span["Timeline"]), position(span["End-LSN"])
    found = [Timeline(own, None, None, _last_archived(shelf, own))]
    for path in sorted(shelf.glob("[0-9A-F]" * 8 + HISTORY)):
        number, left = int(path.name.removesuffix(HISTORY), 16), list(ancestors(path))
        if any(one == own and at >= end for one, at in left):
            found.append(Timeline(number, left[-1][0], _changed(path), _last_archived(shelf, number)))
    return sorted(found, key=lambda one: one.number)


def ancestors(path: Path) -> Iterator[tuple[int, int]]:
    """The timelines that a history names, the parent last, and the positions at which they were left."""
    try:
        lines = gzip.decompress(path.read_bytes()).decode(errors="replace").splitlines()
        for number, at, *_ in (line.split() for line in lines if line[:1].isdigit()):
            yield int(number), position(at)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise Mistake("CONSILIUM_WAL_ARCHIVE_DIR: the history of a timeline cannot be read.") from error


def position(lsn: str) -> int:
    """The bytes of log before that place."""
    high, _, low = lsn.partition("/")
    return (int(high, 16) << 32) + int(low, 16)


def _last_archived(shelf: Path, number: int) -> datetime | None:
    segments = (path for path in shelf.glob(f"{number:08X}*.gz") if len(path.name) == SEGMENT + len(".gz"))
    return max(map(_changed, segments), default=None)


def _changed(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _question(found: list[Timeline]) -> str:
    lines = ["--timeline: earlier restores forked what came after this backup. Say which course to follow:"]
    for one in found:
        begun = "the backup's own" if one.parent is None else f"branched off {one.parent} on {_told(one.branched)}"
        lines.append(f"  --timeline {one.number}  {begun}; last archived {_told(one.archived)}")
    return "\n".join([*lines, f"  --timeline latest is {found[-1].number}."])


def _told(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else "never"
