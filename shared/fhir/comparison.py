"""What tells a change that was made from an older version from what is stored by now, element by element."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shared.fhir.json import Resource


class Side(StrEnum):
    """Who changed an element since the base version."""

    THEIRS = "theirs"
    """What is stored by now."""
    MINE = "mine"
    """What was sent."""
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Element:
    """One element that is not the same in all three. Values are JSON; None is absence; ``path`` is FHIRPath."""

    path: str
    base: Any
    theirs: Any
    mine: Any
    changed_by: Side | None = None
    """None where the base version is not kept."""

    @property
    def clashes(self) -> bool:
        """Whether people have to choose: both changed it, differently, or nobody knows who did."""
        return self.changed_by in (Side.BOTH, None) and self.theirs != self.mine


Compare = Callable[[Resource | None, Resource, Resource], Sequence[Element]]
"""``compare(base, theirs, mine)``: pure; ``base`` is None where it is not kept. ``mine`` has passed the validation.

Raises ``Unprocessable`` for what cannot be compared."""
