"""Removing archived log that no kept backup needs."""

from consilium.backup.archiving import ArchiveSettings
from consilium.backup.contents import Backup
from consilium.backup.wal import SEGMENT
from shared.process.mistakes import Mistake


def prune(backup: Backup, settings: ArchiveSettings | None = None) -> int:
    """Remove the cluster's archived segments that come before ``backup``; how many. Raises ``Mistake``.

    Timelines stay in: as with pg_archivecleanup, a segment's place counts, whatever its timeline."""
    settings = settings or ArchiveSettings()
    if settings.wal_archive_dir is None:
        raise Mistake("--prune-archive: CONSILIUM_WAL_ARCHIVE_DIR is not set, so nothing is archived.")
    first, gone = backup.first_wal[8:], 0
    for path in (settings.wal_archive_dir / backup.system).glob("*.gz"):
        # a history file is tiny and never removed; a backup's own marker has its segment's name in front
        if len(path.name.partition(".")[0]) == SEGMENT and path.name[8:SEGMENT] < first:
            path.unlink()
            gone += 1
    return gone
