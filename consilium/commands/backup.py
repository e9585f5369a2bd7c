"""``consilium backup``: a whole, verified copy of the embedded databases, while they serve or while nobody runs."""

from pathlib import Path
from typing import Annotated

import typer


def command(
    destination: Annotated[Path, typer.Argument(metavar="DEST", help="A folder that is not there yet.")],
    prune_archive: Annotated[
        bool,
        typer.Option("--prune-archive", help="Then remove archived log that only restores of older backups need."),
    ] = False,
) -> None:
    """Back up all databases of the embedded PostgreSQL at one moment (a database of your own: docs/operations).

    The copy holds patients' data, unencrypted. It does not hold the signing keys.
    """
    import asyncio
    import time

    from rich.console import Console

    from consilium.backup.making import make, require_outside
    from consilium.backup.pruning import prune
    from consilium.backup.reaching import databases_of
    from consilium.mistakes import reported
    from shared.settings import ServerSettings

    begun = time.monotonic()
    with reported("No backup."):
        settings = ServerSettings()
        require_outside(destination, settings.data_dir)

        async def work() -> str:
            async with databases_of(settings) as (url, databases):
                backup = await make(url, databases, destination)
            gone = prune(backup) if prune_archive else 0
            freed = f" {gone} archived files that it does not need were removed." if prune_archive else ""
            return f"{backup.size / 2**20:.0f} MiB, verified, in {time.monotonic() - begun:.1f} s.{freed}"

        told = asyncio.run(work())
    Console(highlight=False, soft_wrap=True).print(
        f"[bold green]Backed up.[/] {told} [bold]consilium restore {destination}[/]"
    )
