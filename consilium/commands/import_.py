"""``consilium import``: load FHIR files."""

from pathlib import Path
from typing import Annotated

import typer


def command(
    paths: Annotated[list[Path], typer.Argument(help="Files (.json, .ndjson) and folders.", exists=True)],
    url: Annotated[str | None, typer.Option(help="The FHIR base; that of `run` here without it.")] = None,
    token: Annotated[str | None, typer.Option(help="A bearer token; one of the local key without it.")] = None,
    concurrency: Annotated[int, typer.Option(help="Bundles on their way at once.", min=1, max=32)] = 2,
    again: Annotated[bool, typer.Option("--again", help="Send what was loaded before, too.")] = False,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Repair no faults of structure: what is not quite R4 is refused, with reasons."),
    ] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Load nothing; compare the files with all that is on the server.")
    ] = False,
) -> None:
    """Load Bundles, resources and NDJSON into a running server; a second run goes on where the first ended.

    What is referred to goes first. Small faults of structure are repaired and reported; the files stay as they are.
    Exit code 1 when anything was refused.
    """
    import asyncio

    from consilium.importing.command import load, verified
    from consilium.importing.options import Options
    from consilium.mistakes import reported

    with reported("Not compared." if verify else "Nothing loaded."):
        options = Options.of(paths, url=url, token=token, concurrency=concurrency, again=again, strict=strict)
        well = asyncio.run((verified if verify else load)(options))
    if not well:
        raise typer.Exit(1)
