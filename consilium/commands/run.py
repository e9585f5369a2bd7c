"""``consilium run``: everything in one process on one port."""

import typer


def command() -> None:
    """Serve everything: FHIR, REST, workers, and an embedded PostgreSQL unless CONSILIUM_DATABASE_URL is set.

    Runs until Ctrl-C or SIGTERM. Settings are environment variables: CONSILIUM_PORT (8080), CONSILIUM_HOST (127.0.0.1),
    CONSILIUM_DATA_DIR (.consilium in this folder); the README lists the others that matter.
    """
    from contextlib import nullcontext

    import uvloop
    from rich.console import Console

    from consilium.embedding import EmbeddedServer
    from consilium.installation import exclusive
    from consilium.mistakes import reported
    from shared.process.server import PortTaken, require_free
    from shared.security.loopback import NotLoopback, require_loopback
    from shared.security.settings import AuthMode, SecuritySettings
    from shared.settings import ServerSettings
    from shared.telemetry.settings import TelemetrySettings

    with reported("Not started."):
        settings, security = ServerSettings(), SecuritySettings()
        TelemetrySettings()
    errors = Console(stderr=True)
    base = f"http://{settings.host}:{settings.port}"
    try:
        require_loopback(settings.host, security.auth)
        with reported("Not started."), exclusive(settings.data_dir, base) as embedded_at:
            require_free(settings.host, settings.port)
            with nullcontext() if settings.database_url else EmbeddedServer(settings.data_dir / "postgres") as embedded:
                # the longest import by far: PostgreSQL starts meanwhile
                from consilium.running import run

                open_mode = security.auth is AuthMode.OPEN
                uvloop.run(run(settings, embedded, lambda: _announce(base, open_mode=open_mode), embedded_at))
    except (PortTaken, NotLoopback) as error:
        errors.print(f"[bold red]Not started.[/] {error}", highlight=False)
        raise typer.Exit(1) from None


def _announce(base: str, *, open_mode: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, value in (
        ("FHIR", f"{base}/fhir"),
        ("REST", f"{base}/api"),
        ("Capabilities", f"{base}/fhir/metadata"),
        ("Health", f"{base}/health/ready"),
        ("Callers", "anybody on this machine (CONSILIUM_AUTH=open)" if open_mode else "consilium token --role ..."),
    ):
        table.add_row(f"[bold]{name}[/]", value)
    console = Console(highlight=False)
    console.print("[bold green]Consilium is running.[/] Ctrl-C ends it.")
    console.print(table)
