"""Recovery of a copied base backup: PostgreSQL replays its log up to the moment that is wanted.

https://www.postgresql.org/docs/18/continuous-archiving.html#BACKUP-PITR-RECOVERY. It always ends on a new timeline, so
that what comes now is never taken for what came then, in the archive either.
"""

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import asyncpg

from consilium.backup.archiving import fetching
from consilium.backup.programs import ProgramFailed, give_to_server, run
from shared.process.mistakes import Mistake
from shared.store.embedded import SETTINGS
from shared.store.losses import DATABASE_LOSSES

Target = datetime | Literal["latest"] | None
"""A moment; everything that was archived; or None: the end of the backup itself."""

LONGEST = 6 * 3600.0
"""Seconds that a recovery may take."""
LOG = "recovery.log"


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a recovery reached."""

    last_change: datetime | None
    """The commit that came last; None where nothing was replayed beyond the backup."""
    timeline: int
    """On which the log goes on."""


async def recover(
    folder: Path, target: Target, archive: Path | None, archiving: Mapping[str, str], *, timeline: int | None
) -> Recovered:
    """Start the cluster in ``folder`` (a copied base backup), let it recover to ``target``, stop it.

    ``archive`` is where the log comes from, ``archiving`` the server's settings for where it goes on; ``timeline`` is
    the one to follow where restores have forked the log, the backup's own without one.
    Raises ``Mistake`` where the target cannot be reached."""
    settings = {
        **SETTINGS,
        **archiving,
        "hot_standby": "off",  # nobody asks it anything before it is there
        "listen_addresses": "",
        "restore_command": fetching(archive) if archive is not None else "false",
        "recovery_target_action": "promote",
        "recovery_target_timeline": "current" if timeline is None else str(timeline),
        **_wanted(target),
    }
    (folder / "postgresql.auto.conf").write_text("".join(f"{key} = '{value}'\n" for key, value in settings.items()))
    (folder / "recovery.signal").touch()
    give_to_server(folder)
    async with _started(folder) as url:
        connection = await _promoted(folder, url)
        try:
            return Recovered(
                await connection.fetchval("SELECT pg_last_xact_replay_timestamp()"),
                await connection.fetchval("SELECT timeline_id FROM pg_control_checkpoint()"),
            )
        finally:
            await connection.close()


def _wanted(target: Target) -> Mapping[str, str]:
    if target is None:
        return {"recovery_target": "immediate"}
    if isinstance(target, datetime):
        return {"recovery_target_time": target.isoformat(sep=" ")}
    return {}


@asynccontextmanager
async def _started(folder: Path) -> AsyncIterator[str]:
    """The cluster's administration URL; it is stopped when the block ends."""
    # short, because a socket's path may have a hundred characters
    sockets = Path(tempfile.mkdtemp(prefix="consilium-"))
    give_to_server(sockets)
    options = f'-h "" -k {sockets}'
    log = folder / LOG
    try:
        try:
            await asyncio.to_thread(
                run, "pg_ctl", "-w", "-o", options, "-l", str(log), "-D", str(folder), "start", as_server=True
            )
        except ProgramFailed as error:
            raise _failure(folder) from error
        try:
            yield f"postgresql://postgres@/postgres?host={sockets}"
        finally:
            with suppress(ProgramFailed):  # it ended by itself
                await asyncio.to_thread(
                    run, "pg_ctl", "-w", "-t", "600", "-m", "fast", "-D", str(folder), "stop", as_server=True
                )
        log.unlink()
    finally:
        shutil.rmtree(sockets, ignore_errors=True)


async def _promoted(folder: Path, url: str) -> asyncpg.Connection:
    """A connection to the server once it takes writes."""
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        with suppress(*DATABASE_LOSSES):
            connection = await asyncpg.connect(url)
            if not await connection.fetchval("SELECT pg_is_in_recovery()"):
                return connection
            await connection.close()
        if not _alive(folder):
            raise _failure(folder)
        await asyncio.sleep(0.1)
    raise Mistake("The recovery takes longer than six hours and was stopped.")


def _alive(folder: Path) -> bool:
    try:
        os.kill(int((folder / "postmaster.pid").read_text().split()[0]), 0)
    except (FileNotFoundError, IndexError, ValueError, ProcessLookupError):
        return False
    return True


_FAILURES = (
    (
        "before configured recovery target",
        "--to: the archived log ends before that time. Choose an earlier one, or --to latest for all there is.",
    ),
    ("before consistent recovery point", "--to: the backup was finished later than that. Take an earlier backup."),
    ("child process exited with exit code 200", "The archived log is damaged. Choose a --to before the damage."),
    ("from archive: child process exited", "The archived log lacks a part, or cannot be read."),
    ("recovery target timeline", "--timeline: the archive has no such timeline, or it does not pass this backup."),
    ("is not a child of this server's history", "--timeline: that timeline does not pass this backup."),
    ("could not locate required checkpoint record", "SOURCE: the backup lacks its log."),
)


def _failure(folder: Path) -> Mistake:
    """What the server's log says of its end."""
    told = (folder / LOG).read_text(errors="replace") if (folder / LOG).exists() else ""
    for sign, text in _FAILURES:
        if sign in told:
            return Mistake(text)
    return Mistake(f"PostgreSQL did not recover the backup; its log is {LOG} in the folder that is named .restoring.")
