"""``consilium doctor``: what is wrong, and what to do."""

from typing import Annotated

import typer


def command(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Look at settings, databases, messages, keys, clocks and disks; change nothing.

    Exit code 0: all is well; 1: there are warnings; 2: something does not work.
    """
    import asyncio

    from consilium.doctor import examine
    from shared.doctor.command import report

    raise typer.Exit(asyncio.run(report(examine(), json=as_json)))
