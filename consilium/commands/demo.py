"""``consilium demo``: one referral story against a running server, shown as tables."""

from pathlib import Path
from typing import Annotated

import typer


def command(
    url: Annotated[str | None, typer.Option(help="The server, without /fhir; that of `run` here without it.")] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(
            help="Files to import first, instead of the demo's own patients; the story is told of the first patient.",
            exists=True,
        ),
    ] = None,
) -> None:
    """Refer a patient to mental health and physical therapy, close both loops, show the shared plan.

    Needs a running server: `make run` in another terminal. What it stores stays there; its own patients are made up.
    """
    import asyncio

    from consilium.demo.command import demo
    from consilium.mistakes import reported

    with reported("No demo."):
        well = asyncio.run(demo(url, data or []))
    if not well:
        raise typer.Exit(1)
