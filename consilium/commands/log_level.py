"""``consilium log-level``: what a running installation logs, for a while, without a restart."""

from typing import Annotated

import typer


def command(
    level: Annotated[str, typer.Argument(help="DEBUG, INFO, WARNING, ERROR, or CLEAR: back to CONSILIUM_LOG_LEVEL.")],
    logger: Annotated[str, typer.Argument(help="One logger (shared.messaging); all without it.")] = "",
    minutes: Annotated[int, typer.Option(min=1, max=24 * 60, help="Then it goes back by itself.")] = 10,
) -> None:
    """Change the log level of the processes on CONSILIUM_PORT for a while."""
    from shared.telemetry.levels import main

    raise typer.Exit(main([level, *([logger] if logger else []), "--minutes", str(minutes)]))
