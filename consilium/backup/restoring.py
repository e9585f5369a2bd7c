"""Restoring: check the backup, copy it beside its place, recover it there, and only then let it take its place."""

import asyncio
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from consilium.assembly import SERVICES
from consilium.backup import contents
from consilium.backup.archiving import ArchiveSettings, archiving
from consilium.backup.contents import Backup
from consilium.backup.following import require_archive, require_log
from consilium.backup.recovery import LOG, Recovered, Target, recover
from consilium.backup.timelines import Wanted, chosen
from consilium.backup.verifying import read_manifest, verify
from consilium.embedding import RESTORING
from shared.process.mistakes import Mistake
from shared.store.embedded import embedded_postgres
from shared.store.revisions import head

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did."""

    backup: Backup
    recovered: Recovered
    aside: Path | None
    """Where the old cluster is now."""


async def restore(
    source: Path,
    data_dir: Path,
    target: Target,
    settings: ArchiveSettings,
    *,
    timeline: Wanted = None,
    replace: bool = False,
    tell: Tell = lambda step: None,
) -> Restored:
    """Make ``data_dir/postgres`` what the backup in ``source`` was, or what it was to become at ``target``.

    The caller holds the data folder. Nothing of the old cluster is changed before the new one is whole.
    Raises ``Mistake``."""
    backup = contents.read(source)
    _require_ours(backup)
    if isinstance(target, datetime) and target < backup.finished:
        raise Mistake("--to: the backup was finished later than that. Take an earlier backup.")
    follow = _timeline(source, backup, target, settings, timeline)
    place = (data_dir / "postgres").resolve()
    taken = place.exists() and any(place.iterdir())
    if taken and not replace:
        raise Mistake("There is an installation in CONSILIUM_DATA_DIR. With --replace it is moved aside.")
    if taken and (place / "postmaster.pid").exists():
        tell("Ending the embedded PostgreSQL that a killed process left")
        await asyncio.to_thread(_end, place)
    if target is not None and follow is not None and settings.wal_archive_dir is not None:
        # not before: what a killed one left may have archived the last of it just now
        require_log(settings.wal_archive_dir / backup.system, read_manifest(source / contents.CLUSTER), follow)
    archived = archiving(settings)  # refuses an archive that cannot be written, before anything is copied
    tell("Checking the backup's checksums")
    await asyncio.to_thread(verify, source / contents.CLUSTER)
    new = place.with_name(RESTORING)
    tell("Copying it")
    await asyncio.to_thread(_copy, source / contents.CLUSTER, new)
    tell("Recovering")
    recovered = await recover(new, target, settings.wal_archive_dir, archived, timeline=follow)
    return Restored(backup, recovered, _take_place(new, place, taken=taken))


def _require_ours(backup: Backup) -> None:
    """Raises ``Mistake`` for a backup with a newer schema than this version knows."""
    for service in SERVICES:
        revision, newest = backup.revisions.get(service.name), head(service.migrations)
        if revision is not None and newest is not None and revision > newest:
            raise Mistake(f"SOURCE: the backup was made by Consilium {backup.made_by}, which is newer than this one.")


def _timeline(source: Path, backup: Backup, target: Target, settings: ArchiveSettings, wanted: Wanted) -> int | None:
    """The timeline to follow; None where only the backup's own matters. Raises ``Mistake``."""
    if target is None and wanted is None:
        return None
    if settings.wal_archive_dir is None:
        option = "--timeline" if target is None else "--to"
        raise Mistake(f"{option} needs the archived log: set CONSILIUM_WAL_ARCHIVE_DIR to its folder.")
    if target is not None:
        require_archive(settings.wal_archive_dir, backup.system)
    return chosen(settings.wal_archive_dir / backup.system, read_manifest(source / contents.CLUSTER), wanted)


def _end(place: Path) -> None:
    """Stop the server on ``place`` in good order: its log is archived to the end."""
    with embedded_postgres(place):
        pass


def _copy(source: Path, new: Path) -> None:
    try:
        if new.exists():
            shutil.rmtree(new)
        new.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, new)
    except OSError as error:
        # what was copied may fill the disk that the old cluster is on; an empty folder, too, says what was interrupted
        shutil.rmtree(new, ignore_errors=True)
        with suppress(OSError):
            new.mkdir()
        raise Mistake("CONSILIUM_DATA_DIR: the backup cannot be copied there; is there room?") from error
    (new / LOG).unlink(missing_ok=True)


def _take_place(new: Path, place: Path, *, taken: bool) -> Path | None:
    """Let ``new`` be where ``place`` is; where the old one is now. Between the two renames a start is refused."""
    aside = place.with_name(f"postgres.before-{datetime.now(UTC):%Y%m%dT%H%M%SZ}") if taken else None
    try:
        if aside is not None:
            place.rename(aside)
        elif place.exists():
            place.rmdir()
        new.rename(place)
    except OSError as error:
        raise Mistake("CONSILIUM_DATA_DIR: the folder was changed by something else meanwhile.") from error
    return aside
