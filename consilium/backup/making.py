"""Making a backup: a base backup of the whole cluster, so of all databases at one moment, while it serves.

https://www.postgresql.org/docs/18/app-pgbasebackup.html. It is made beside its place, verified, flushed, and renamed:
whatever carries the name of a backup is whole.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import asyncpg

from consilium.backup.contents import CLUSTER, Backup, write
from consilium.backup.programs import MAJOR, ProgramFailed, run
from consilium.backup.timelines import position
from consilium.backup.verifying import read_manifest, verify
from consilium.backup.wal import SEGMENT_BYTES, segment
from shared.process.mistakes import Mistake

MARGIN = 1.2
"""A backup needs the size of the databases and some log."""


def require_outside(destination: Path, data_dir: Path) -> None:
    """Raises ``Mistake`` for a backup beside what it is of: they would be lost together."""
    if _inside(destination, data_dir):
        raise Mistake("DEST: it is in CONSILIUM_DATA_DIR. Name a folder elsewhere, best on another disk.")


async def make(url: str, databases: Mapping[str, str], destination: Path) -> Backup:
    """Back up the cluster at ``url`` (an administration URL; ``databases`` by service) to ``destination``.

    Raises ``Mistake`` where the destination is taken, too small or in the cluster, or where PostgreSQL's tools fail."""
    await _require_elsewhere(url, destination)
    with _made_beside(destination) as (folder, lock):
        await _require_room(url, folder)
        started = datetime.now(UTC)
        cluster = folder / CLUSTER
        try:
            run(
                "pg_basebackup",
                f"--dbname={url}",
                f"--pgdata={cluster}",
                *("--format=plain", "--wal-method=stream", "--checkpoint=fast"),
                *("--manifest-checksums=SHA256", "--label=consilium", "--no-password"),
                # whoever kills us leaves it running: it keeps our lock, so that nobody clears its folder away
                inherit=[lock],
            )
        except ProgramFailed as error:
            raise Mistake(_reason(error)) from error
        finished = datetime.now(UTC)
        verify(cluster)
        manifest = read_manifest(cluster)
        backup = Backup(
            made_by=version("consilium"),
            postgres=MAJOR,
            system=str(manifest["System-Identifier"]),
            started=started,
            finished=finished,
            size=sum(path.stat().st_size for path in cluster.rglob("*") if path.is_file()),
            first_wal=_first_segment(manifest),
            revisions={name: await _revision(database) for name, database in databases.items()},
        )
        write(folder, backup)
    return backup


@contextmanager
def _made_beside(destination: Path) -> Iterator[tuple[Path, int]]:
    """A folder beside ``destination`` that gets its name when the block ends well; an open file that locks it."""
    destination = destination.resolve()
    if destination.exists() and (not destination.is_dir() or any(destination.iterdir())):
        raise Mistake("DEST: there is something already. Name a folder that is not there yet.")
    folder = destination.with_name(f"{destination.name}.partial")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(folder / ".making", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise Mistake("DEST: the folder cannot be made.") from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Mistake("DEST: another backup is being made there.") from None
        # what a killed one left
        shutil.rmtree(folder / CLUSTER, ignore_errors=True)
        yield folder, lock
        _flush(folder)
        if destination.exists():
            destination.rmdir()
        folder.rename(destination)
        # not before: without the file that we lock, another one would take the folder for what a killed one left
        (destination / ".making").unlink()
        _flush(destination.parent)
    finally:
        os.close(lock)


def _flush(folder: Path) -> None:
    """Have the folder's entries, and the files directly in it, on the disk (pg_basebackup flushed its own)."""
    for path in (*(one for one in folder.iterdir() if one.is_file()), folder):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


async def _require_elsewhere(url: str, destination: Path) -> None:
    """A base backup copies all that is in the cluster's folder: itself, too, and without end."""
    connection = await asyncpg.connect(url)
    try:
        cluster = await connection.fetchval("SHOW data_directory")
    finally:
        await connection.close()
    if _inside(destination, Path(cluster)):
        raise Mistake("DEST: it is in the database's own folder. Name one elsewhere, best on another disk.")


def _inside(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


async def _require_room(url: str, folder: Path) -> None:
    connection = await asyncpg.connect(url)
    try:
        size = await connection.fetchval("SELECT sum(pg_database_size(oid)) FROM pg_database")
    finally:
        await connection.close()
    if shutil.disk_usage(folder).free < float(size) * MARGIN + 4 * SEGMENT_BYTES:
        raise Mistake(f"DEST: the disk has too little room: the databases have {float(size) / 2**20:.0f} MiB.")


async def _revision(database: str) -> str:
    connection = await asyncpg.connect(database)
    try:
        return str(await connection.fetchval("SELECT version_num FROM alembic_version"))
    finally:
        await connection.close()


def _first_segment(manifest: dict[str, Any]) -> str:
    """The name of the segment in which the backup's log begins (timeline, then position by 16 MiB)."""
    (first, *_) = manifest["WAL-Ranges"]
    return segment(first["Timeline"], position(first["Start-LSN"]) // SEGMENT_BYTES)


def _reason(error: ProgramFailed) -> str:
    if "No space left" in error.told:
        return "DEST: the disk is full."
    if "could not connect" in error.told or "connection to server" in error.told:
        return "The database cannot be reached."
    return "The backup could not be made; DEST or the database failed in the middle."
