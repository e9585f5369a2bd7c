"""What an operator can put right, told in a line instead of a traceback."""

from pydantic import ValidationError


class Mistake(RuntimeError):
    """Something around the process is not as it must be; the text says what, without any value."""


class Unreachable(Mistake):
    """The database cannot be reached; it may come later."""


def settings_mistakes(error: ValidationError) -> list[str] | None:
    """A line per setting that does not hold; None where ``error`` is not about settings."""
    if not error.title.endswith("Settings"):
        return None
    return [f"{_variable(one['loc'])}: {one['msg']}" for one in error.errors(include_input=False)]


def _variable(location: tuple[int | str, ...]) -> str:
    """The environment variable of a settings field."""
    return f"CONSILIUM_{str(location[0]).upper()}" if location else "The settings"
