"""``consilium doctor``: what only the all-in-one installation has, beside what ``shared.doctor`` looks at."""

import os
from collections.abc import Sequence
from urllib.parse import urlsplit

import asyncpg
from pydantic import ValidationError

from consilium.assembly import SERVICES
from consilium.backup.archiving import ArchiveSettings
from consilium.embedding import leads_nowhere, restore_unfinished
from consilium.installation import Running, running_on
from shared.doctor.diagnose import diagnose, own_url, upstreams
from shared.doctor.disk import room
from shared.doctor.finding import Finding, failure, ok, warning
from shared.process.databases import BUS, database_urls
from shared.process.mistakes import settings_mistakes
from shared.settings import ServerSettings


async def examine() -> list[Finding]:
    """All findings on the installation that the environment describes. Raises nothing."""
    try:
        settings, archive = ServerSettings(), ArchiveSettings()
    except ValidationError as error:
        found = await diagnose(SERVICES, apart=False)
        told = [line for line in settings_mistakes(error) or [] if line not in {finding.what for finding in found}]
        return [*found, *(failure("settings", line, "Correct it; docs/configuration.md has it.") for line in told)]
    running = running_on(settings.data_dir)
    embedded = running.databases if running is not None and settings.database_url is None else None
    names = [*(service.name for service in SERVICES), BUS]
    urls = upstreams()
    if running is not None and urlsplit(running.base).scheme:
        urls |= {"consilium": running.base.replace("0.0.0.0", "127.0.0.1")}
    elif settings.database_url is not None and not urls:
        urls = {"consilium": own_url(settings.host, settings.port)}
    return await diagnose(
        SERVICES,
        apart=False,
        databases=database_urls(embedded, names) if embedded else None,
        urls=urls,
        more={
            "installation": _installation(settings, running),
            "archive": _archive(settings, archive, embedded),
        },
    )


async def _installation(settings: ServerSettings, running: Running | None) -> Sequence[Finding]:
    folder = settings.data_dir
    if folder.exists() and not os.access(folder, os.W_OK):
        return [failure("installation", "CONSILIUM_DATA_DIR cannot be written", "Give it to this process's user.")]
    if running is not None:
        return [ok("installation", f"process {running.pid} runs on it")]
    if settings.database_url is not None:
        return [ok("installation", "its database is elsewhere; no process holds the data folder")]
    if restore_unfinished(folder / "postgres"):
        return [failure("installation", "a restore did not come to its end", "Run it again: `consilium restore`.")]
    if leads_nowhere(folder / "postgres"):
        do = "Mount the disk, or make the folder that it leads to."
        return [failure("installation", "CONSILIUM_DATA_DIR/postgres is a link to what is not there", do)]
    if not (folder / "postgres" / "PG_VERSION").exists():
        return [warning("installation", "nothing ran here yet", "Start it: `consilium run`.")]
    do = "Start it: `consilium run`; databases are looked at while it runs."
    return [warning("installation", "it does not run, so its databases were not looked at", do)]


async def _archive(settings: ServerSettings, archive: ArchiveSettings, embedded: str | None) -> Sequence[Finding]:
    folder = archive.wal_archive_dir
    if settings.database_url is not None:
        if folder is None:
            return []
        do = "Remove it; your database has its own archiving: docs/operations/backup.md."
        return [warning("archive", "CONSILIUM_WAL_ARCHIVE_DIR has no effect on a database of your own", do)]
    if folder is None:
        do = "Set CONSILIUM_WAL_ARCHIVE_DIR, or make backups as often as you can bear to lose."
        return [warning("archive", "no log is archived: what came after the last backup can be lost", do)]
    found = [room("archive", folder)]
    if folder.resolve().is_relative_to(settings.data_dir.resolve()):
        found.append(
            warning("archive", "it is in CONSILIUM_DATA_DIR", "Put it on another disk: they would die together.")
        )
    elif folder.exists() and settings.data_dir.exists() and folder.stat().st_dev == settings.data_dir.stat().st_dev:
        found.append(warning("archive", "it is on the data's own disk", "Put it on another: they would die together."))
    if embedded is None:
        return found
    return [*found, *await _archiver(database_urls(embedded, [BUS])[BUS])]


async def _archiver(url: str) -> list[Finding]:
    connection = await asyncpg.connect(url, timeout=5)
    try:
        mode = await connection.fetchval("SELECT current_setting('archive_mode')")
        row = await connection.fetchrow(
            """
            SELECT coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false) AS failing,
                   archived_count AS done
            FROM pg_stat_archiver
            """
        )
    finally:
        await connection.close()
    assert row is not None
    if mode != "on":
        do = "Start `consilium run` anew with the setting; one that was killed may have left its PostgreSQL behind."
        return [failure("archive", "the running PostgreSQL does not archive", do)]
    if row["failing"]:
        do = "May the database's user write there? Is there room? Until then its log fills the data's disk."
        return [failure("archive", "the last attempt to archive failed", do)]
    return [ok("archive", f"{row['done']} files archived since the statistics began")]
