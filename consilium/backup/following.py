"""Does the archive hold what a restore is to follow? PostgreSQL takes a segment that is not there for the log's end.

So it would be content with an empty archive, and with one that lacks what leads to a fork. Gaps further on are found
while it recovers: see ``consilium.backup.wal``.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from consilium.backup.timelines import HISTORY, ancestors, position
from consilium.backup.wal import SEGMENT_BYTES, segment
from shared.process.mistakes import Mistake

WITHOUT = "Without --to the backup alone is restored."


def require_archive(folder: Path, system: str) -> None:
    """Raises ``Mistake`` where ``folder`` is no archive, or has nothing of the cluster ``system``. Makes nothing."""
    if not folder.is_dir():
        raise Mistake(f"CONSILIUM_WAL_ARCHIVE_DIR: there is no such folder. {WITHOUT}")
    try:
        found = any((folder / system).glob("*.gz"))
    except OSError as error:
        raise Mistake("CONSILIUM_WAL_ARCHIVE_DIR: the folder cannot be read.") from error
    if not found:
        raise Mistake(f"CONSILIUM_WAL_ARCHIVE_DIR: nothing in it is of the cluster that was backed up. {WITHOUT}")


def require_log(shelf: Path, manifest: dict[str, Any], followed: int) -> None:
    """Raises ``Mistake`` where the cluster's archive lacks a segment that the timeline ``followed`` begins with.

    ``manifest`` is the backup's."""
    for name in _needed(shelf, manifest, followed):
        if not (shelf / f"{name}.gz").exists():
            raise Mistake(
                f"CONSILIUM_WAL_ARCHIVE_DIR: it lacks {name}, with which the log goes on from the backup. {WITHOUT}"
            )


def _needed(shelf: Path, manifest: dict[str, Any], followed: int) -> Iterator[str]:
    """The segments from the one that the backup ended in to the first one of ``followed``.

    The backup brings that one itself, but only as far as its own end; and the server goes on to another one there,
    so that it is archived at once."""
    span = manifest["WAL-Ranges"][-1]
    timeline, place = int(span["Timeline"]), (position(span["End-LSN"]) - 1) // SEGMENT_BYTES
    history = {} if followed == timeline else dict(ancestors(shelf / f"{followed:08X}{HISTORY}"))
    for number in sorted(number for number in history if number >= timeline):
        # where a timeline begins in the middle of a segment, its own one has the parent's part, too
        branched = history[number] // SEGMENT_BYTES
        yield from (segment(number, at) for at in range(place, branched))
        place = max(place, branched)
    yield segment(followed, place)
