"""An exception as it may be logged: classes, codes and places, never a foreign text.

A database error repeats the row in its detail, a decoder quotes its input: only the texts of our own errors are known
to carry no values.
"""

import traceback
from types import TracebackType
from typing import Any

from shared.errors import ConsiliumError

DEEPEST = 12
"""Places that are kept, innermost last."""


def described(error: BaseException) -> dict[str, Any]:
    """``error`` and what it was caused by, fit for a log."""
    description: dict[str, Any] = {"class": class_of(error), "at": _places(error.__traceback__)}
    sqlstate = getattr(error, "sqlstate", None)
    if isinstance(sqlstate, str):
        description["sqlstate"] = sqlstate
    if isinstance(error, ConsiliumError):
        description["issues"] = [issue.text for issue in error.issues]
    if isinstance(error, BaseExceptionGroup):
        description["among"] = [described(part) for part in error.exceptions[:5]]
    causes = _causes(error)
    if causes:
        description["because"] = causes
    return description


def class_of(error: BaseException) -> str:
    """The qualified name of the error's class."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _causes(error: BaseException) -> list[str]:
    found: list[str] = []
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    while cause is not None and len(found) < 5:
        found.append(class_of(cause))
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return found


def _places(trace: TracebackType | None) -> list[str]:
    frames = [(frame.f_globals.get("__name__", "?"), line) for frame, line in traceback.walk_tb(trace)]
    return [f"{module}:{line}" for module, line in frames[-DEEPEST:]]
