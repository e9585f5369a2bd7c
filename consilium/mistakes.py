"""What an operator can put right, told in a line instead of a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from pydantic import ValidationError


class Mistake(RuntimeError):
    """Something around the process is not as it must be; the text says what, without any value."""


@contextmanager
def reported(outcome: str) -> Iterator[None]:
    """End the command with ``outcome`` and a line for each mistake: code 2 for settings, 1 for another ``Mistake``."""
    try:
        yield
    except ValidationError as error:
        if not error.title.endswith("Settings"):
            raise
        told = [f"{_variable(one['loc'])}: {one['msg']}" for one in error.errors(include_input=False)]
        raise _ended(outcome, told, 2) from None
    except Mistake as error:
        raise _ended(outcome, [str(error)], 1) from None


def _ended(outcome: str, told: list[str], code: int) -> typer.Exit:
    from rich.console import Console
    from rich.markup import escape

    console = Console(stderr=True, soft_wrap=True)
    for line in told:
        console.print(f"[bold red]{outcome}[/] {escape(line)}", highlight=False)
    return typer.Exit(code)


def _variable(location: tuple[int | str, ...]) -> str:
    """The environment variable of a settings field."""
    return f"CONSILIUM_{str(location[0]).upper()}" if location else "The settings"
