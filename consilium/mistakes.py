"""Mistakes that an operator can put right, as the command line tells them."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from pydantic import ValidationError

from shared.process.mistakes import BadVariable, Mistake, settings_mistakes


@contextmanager
def reported(outcome: str) -> Iterator[None]:
    """End the command with ``outcome`` and a line for each mistake: code 2 for what a variable holds, 1 for another."""
    try:
        yield
    except ValidationError as error:
        told = settings_mistakes(error)
        if told is None:
            raise
        raise _ended(outcome, told, 2) from None
    except Mistake as error:
        raise _ended(outcome, [str(error)], 2 if isinstance(error, BadVariable) else 1) from None


def _ended(outcome: str, told: list[str], code: int) -> typer.Exit:
    from rich.console import Console
    from rich.markup import escape

    console = Console(stderr=True, soft_wrap=True)
    for line in told:
        console.print(f"[bold red]{outcome}[/] {escape(line)}", highlight=False)
    return typer.Exit(code)
