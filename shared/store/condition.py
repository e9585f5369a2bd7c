"""A condition that somebody else puts on the rows of a statement: which of them a caller may see."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on the row ``r`` of ``resource``: ``text(first)`` numbers its placeholders from ``first`` on."""

    text: Callable[[int], str]
    arguments: tuple[Any, ...]


def as_column(condition: Condition | None, first: int) -> tuple[str, tuple[Any, ...]]:
    """The SQL of ``condition`` (``true`` where there is none) and its arguments, from placeholder ``first`` on."""
    return ("true", ()) if condition is None else (condition.text(first), condition.arguments)
