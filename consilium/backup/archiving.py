"""Continuous archiving of the embedded server's write-ahead log, switched on by ``CONSILIUM_WAL_ARCHIVE_DIR``."""

import shlex
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pydantic import Field

from consilium.backup import wal
from shared.process.mistakes import Mistake
from shared.settings import ConsiliumSettings

SYSTEM_PYTHONS = ("/usr/bin/python3", "/usr/local/bin/python3")


class ArchiveSettings(ConsiliumSettings):
    """Where the embedded server's write-ahead log is kept, for restores to a point in time."""

    wal_archive_dir: Path | None = None
    """A folder, on another disk than the data; without one the embedded server archives nothing."""
    wal_archive_seconds: int = Field(default=60, ge=1, le=86400)
    """The longest that a change waits until it is archived: what may be lost with the disk."""


def archiving(settings: ArchiveSettings) -> Mapping[str, str]:
    """The server's settings for archiving (https://www.postgresql.org/docs/18/runtime-config-wal.html).

    Makes the folder. Raises ``Mistake`` where the server could not write to it."""
    if settings.wal_archive_dir is None:
        return {}
    folder = settings.wal_archive_dir.resolve()
    return {
        "archive_mode": "on",
        "archive_command": _program("put", folder, "%p %f"),
        "archive_timeout": str(settings.wal_archive_seconds),
    }


def fetching(folder: Path) -> str:
    """The value of ``restore_command`` that fetches from the archive in ``folder``. Raises ``Mistake``."""
    return _program("get", folder.resolve(), "%f %p")


def _program(what: str, folder: Path, placeholders: str) -> str:
    """The command, in a form that neither PostgreSQL's files nor its shell read otherwise."""
    # a percent sign of a path would be taken for a placeholder
    command = shlex.join(_command(_python(folder), what, folder)).replace("%", "%%")
    return f"{command} {placeholders}".replace("\\", "\\\\").replace("'", "''")


def _command(python: str, what: str, folder: Path) -> list[str]:
    return [python, "-I", "-S", str(Path(wal.__file__).resolve()), what, str(folder)]


def _python(folder: Path) -> str:
    """A Python with which the server's user can write into ``folder`` (made if absent). Raises ``Mistake``.

    Ours, unless we are root and it lies where only root may look: then the system's."""
    # the wheel is loaded only where it is used
    from consilium.backup.programs import give_to_server, server_user

    try:
        if not folder.exists():
            folder.mkdir(parents=True)
            give_to_server(folder)
    except OSError as error:
        raise Mistake("CONSILIUM_WAL_ARCHIVE_DIR: the folder cannot be made.") from error
    for python in (sys.executable, *SYSTEM_PYTHONS):
        with suppress(OSError, subprocess.CalledProcessError):
            command = _command(python, "check", folder)
            subprocess.run(command, check=True, capture_output=True, user=server_user(), cwd="/")
            return python
    raise Mistake("CONSILIUM_WAL_ARCHIVE_DIR: the database server's user cannot write to the folder.")
