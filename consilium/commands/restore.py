"""``consilium restore``: an installation from a backup, as it was then or at a later moment."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from consilium.backup.recovery import Target
    from consilium.backup.timelines import Wanted


def command(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="What `consilium backup` made.")],
    to: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="A moment after the backup with its offset (2026-03-01T14:05:00Z), or 'latest'; "
            "needs CONSILIUM_WAL_ARCHIVE_DIR.",
        ),
    ] = None,
    timeline: Annotated[
        str | None,
        typer.Option(
            metavar="N|latest",
            help="Which course of events to follow. Where earlier restores forked it, --to wants it said.",
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Move an installation that is there aside (kept as postgres.before-...).")
    ] = False,
) -> None:
    """Restore the embedded databases into CONSILIUM_DATA_DIR; refused while anything runs there."""
    import asyncio
    import time

    from rich.console import Console
    from rich.markup import escape

    from consilium.backup.archiving import ArchiveSettings
    from consilium.backup.restoring import restore
    from consilium.installation import exclusive
    from consilium.mistakes import reported
    from shared.process.mistakes import Mistake
    from shared.settings import ServerSettings

    console, begun = Console(highlight=False, soft_wrap=True), time.monotonic()
    with reported("Not restored."):
        settings, archive = ServerSettings(), ArchiveSettings()
        if settings.database_url is not None:
            raise Mistake("CONSILIUM_DATABASE_URL names a database of your own: docs/operations/backup.md says how.")
        with exclusive(settings.data_dir, "consilium restore"):
            restored = asyncio.run(
                restore(
                    source,
                    settings.data_dir,
                    _target(to),
                    archive,
                    timeline=_timeline(timeline),
                    replace=replace,
                    tell=lambda step: console.print(f"{escape(step)} ..."),
                )
            )
    last = restored.recovered.last_change
    reached = f"{last:%Y-%m-%d %H:%M:%S.%f} UTC" if last else f"{restored.backup.finished:%Y-%m-%d %H:%M:%S} UTC"
    console.print(f"[bold green]Restored[/] in {time.monotonic() - begun:.1f} s. Last change: {reached}.")
    if archive.wal_archive_dir is not None:
        console.print(f"The log goes on as timeline {restored.recovered.timeline}. Make a new backup soon.")
    if restored.aside is not None:
        console.print(f"What was there before is in {escape(restored.aside.name)}; remove it when all is well.")
    if settings.amqp_url:
        console.print("Empty the broker before you start: docs/operations/backup.md, 'With RabbitMQ'.")


def _target(to: str | None) -> "Target":
    from datetime import UTC, datetime

    if to is None:
        return None
    if to == "latest":
        return "latest"
    try:
        moment = datetime.fromisoformat(to)
        # in UTC, as PostgreSQL takes no offset of 16 hours or more; a moment may then be one too early or too late
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise typer.BadParameter("a time looks like 2026-03-01T14:05:00Z, with Z or an offset.", param_hint="--to")


def _timeline(named: str | None) -> "Wanted":
    if named is None:
        return None
    if named == "latest":
        return "latest"
    if not named.isascii() or not named.isdigit() or int(named) < 1:
        raise typer.BadParameter("a number from 1 on, or 'latest'.", param_hint="--timeline")
    return int(named)
