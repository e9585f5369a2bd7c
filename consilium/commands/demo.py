"""``consilium demo``: one referral story against a running server, shown as tables."""

from pathlib import Path
from typing import Annotated

import typer


def command(
    url: Annotated[str | None, typer.Option(help="The server's base URL, without /fhir.")] = None,
    data: Annotated[list[Path] | None, typer.Option(help="Patients to import first.", exists=True)] = None,
) -> None:
    """Refer a patient to mental health and physical therapy, close both loops, show the shared plan."""
    import asyncio

    from consilium.demo.command import demo
    from consilium.mistakes import reported

    with reported("No demo."):
        well = asyncio.run(demo(url, data or []))
    if not well:
        raise typer.Exit(1)
