"""The command from files to tables: load, or verify what was loaded."""

import time

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from consilium.importing.journal import Journal
from consilium.importing.loading import Loader, find_missing, prepared
from consilium.importing.options import Options
from consilium.importing.report import Report, show
from consilium.importing.server import Busy, Server
from consilium.importing.units import Unit, Unreadable, read
from consilium.importing.verifying import compare
from consilium.reaching import require_server

TIMEOUT = httpx.Timeout(600.0, connect=5.0)
"""A transaction of thousands of entries takes its time."""
ATTEMPTS = 6
"""How often a server that cannot take a request is asked."""


async def load(options: Options, console: Console | None = None) -> bool:
    """Load everything; True when nothing was refused. Raises ``Mistake`` where no server is."""
    console = console or Console()
    await require_server(options.url, options.journal.parent)
    begun = time.monotonic()
    report, units = _read(options)
    async with httpx.AsyncClient(timeout=TIMEOUT, trust_env=False) as client:
        server = Server(client, options.url, options.token, attempts=ATTEMPTS)
        try:
            missing = await find_missing(units, server)
        except (Busy, httpx.TransportError, PermissionError) as error:
            console.print(f"[bold red]Nothing loaded.[/] {_unreachable(error)}", highlight=False)
            return False
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task("Loading", total=sum(len(unit.entries) for unit in units))
            loader = Loader(
                server,
                Journal(options.journal, options.url),
                report,
                lambda count: progress.advance(task, count),
                again=options.again,
                missing=missing,
            )
            try:
                await loader.load(units, concurrency=options.concurrency)
            except (Busy, httpx.TransportError, PermissionError) as error:
                console.print(f"[bold red]Broken off.[/] {_unreachable(error)} Run it again.", highlight=False)
                if not report.loaded and not report.refused:
                    return False
                report.unreadable.append(Unreadable("what was left", "not sent"))
    show(report, console)
    console.print(f"{len(units)} units from files in {time.monotonic() - begun:.1f} s.", highlight=False)
    return report.well


async def verified(options: Options, console: Console | None = None) -> bool:
    """Compare search counts with the files; True when all agree. Raises ``Mistake`` where no server is."""
    console = console or Console()
    await require_server(options.url, options.journal.parent)
    _, units = _read(options)
    async with httpx.AsyncClient(timeout=TIMEOUT, trust_env=False) as client:
        server = Server(client, options.url, options.token, attempts=ATTEMPTS)
        try:
            compared, differences = await compare(units, Journal(options.journal, options.url), server)
        except (Busy, httpx.TransportError, PermissionError) as error:
            console.print(f"[bold red]Not compared.[/] {_unreachable(error)}", highlight=False)
            return False
    if differences:
        table = Table("type", "patient", "in the files", "on the server", title="Counts that differ")
        for item in differences:
            found = "refused" if item.on_server is None else str(item.on_server)
            table.add_row(item.type, item.patient or "all", str(item.in_files), found)
        console.print(table)
    console.print(f"{compared} counts compared, {len(differences)} differ.", highlight=False)
    return not differences


def _read(options: Options) -> tuple[Report, list[Unit]]:
    report = Report()
    reading = read(options.paths)
    report.unreadable = reading.unreadable
    return report, prepared(reading.units, report, strict=options.strict)


def _unreachable(error: Exception) -> str:
    return str(error) if isinstance(error, PermissionError) else "The server cannot be reached."
