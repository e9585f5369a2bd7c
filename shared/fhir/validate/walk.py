"""The state of one walk over a resource: where it is and what it found (paths: http://hl7.org/fhir/R4/fhirpath.html).

A place is a chain of tuples that is only rendered when there is something to report; that keeps the walk over a valid
resource cheap.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from shared.errors import Issue

MOST_ISSUES = 50
DEEPEST = 64
"""Objects within objects. R4 has no limit; nothing sensible comes near this one."""


Place = tuple["Place | None", str, int, int]
"""One object on the way from the root: the place of its parent, its label there, its index (-1 where the element does
not repeat), its depth. A plain tuple, because one is made for every object of every resource."""

ABOVE: Place = (None, "", -1, 0)
"""Where the root is found; it is no step of a path."""


@dataclass(frozen=True, slots=True)
class LocalReference:
    """A literal reference to a resource of this server: ``path`` is the FHIRPath of the Reference element."""

    path: str
    type: str
    id: str


class Fragment(NamedTuple):
    """A ``#id`` reference, checked when the resource that may contain its target is complete."""

    id: str
    place: Place
    targets: frozenset[str]


class Walk:
    """What one call of ``check`` collects."""

    __slots__ = ("fragments", "issues", "references", "types")

    def __init__(self) -> None:
        self.issues: list[Issue] = []
        self.references: list[LocalReference] = []
        self.fragments: list[Fragment] = []
        self.types: set[str] = set()

    def report(self, code: str, text: str, place: Place | None, label: str = "", index: int = -1) -> None:
        """Note a finding at ``place``, or at its element ``label``; nothing more is noted after ``MOST_ISSUES``."""
        if len(self.issues) < MOST_ISSUES:
            self.issues.append(Issue(code, text, (expression(place, label, index),)))


Run = Callable[[Any, Place, str, int, Walk], None]
"""Checks one value: the value, the place of the object that has it, the element's label there, its index or -1."""


def expression(place: Place | None, label: str = "", index: int = -1) -> str:
    """FHIRPath of ``place``, or of its element ``label``: ``CarePlan.activity[2].detail.status``."""
    steps = [_step(label, index)] if label else []
    while place is not None and place[1]:
        steps.append(_step(place[1], place[2]))
        place = place[0]
    return ".".join(reversed(steps))


def _step(label: str, index: int) -> str:
    return label if index < 0 else f"{label}[{index}]"
