"""What an operator can put right, told in a line instead of a traceback."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import ValidationError


class Mistake(RuntimeError):
    """Something around the process is not as it must be; the text says what, without any value."""


class Unreachable(Mistake):
    """The database cannot be reached; it may come later."""


class BadVariable(Mistake):
    """A variable that does not hold, of those that somebody else defines; the text names it."""


@contextmanager
def read_by_others(prefix: str) -> Iterator[None]:
    """For code of others that reads the variables with ``prefix``: its ``ValueError`` becomes ``BadVariable``."""
    try:
        yield
    except ValueError as error:
        # its own text may repeat a value, and names no variable
        names = sorted(name for name, value in os.environ.items() if name.startswith(prefix) and value)
        told = "does not hold" if len(names) == 1 else "one of them does not hold, or they do not go together"
        raise BadVariable(f"{', '.join(names) or prefix}: {told}.") from error


def settings_mistakes(error: ValidationError) -> list[str] | None:
    """A line per setting that does not hold; None where ``error`` is not about settings."""
    if not error.title.endswith("Settings"):
        return None
    return [f"{_variable(one['loc'])}: {one['msg']}" for one in error.errors(include_input=False)]


def _variable(location: tuple[int | str, ...]) -> str:
    """The environment variable of a settings field."""
    return f"CONSILIUM_{str(location[0]).upper()}" if location else "The settings"
