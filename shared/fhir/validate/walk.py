"""The state of one walk over a resource: where it is and what it found (paths: http://hl7.org/fhir/R4/fhirpath.html).

A place is a chain of tuples that is only rendered when there is something to report; that keeps the walk over a valid
resource cheap.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from shared.errors import Issue, Unprocessable

MOST_ISSUES = 50
DEEPEST = 64
"""Objects within objects. R4 has no limit; nothing sensible comes near this one."""
MOST_ELEMENTS = 50_000
"""Repeated elements, elements of narratives and unknown members of one resource, at any depth. The walk is on the event
loop, where others wait for it: so many take about half a second. All search parameters of R4 in one Bundle, the largest
resource of HL7's that anybody stores as one, have under half of it; all else is bounded by what R4 defines once."""


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

    __slots__ = ("fragments", "issues", "left", "references", "types")

    def __init__(self) -> None:
        self.issues: list[Issue] = []
        self.references: list[LocalReference] = []
        self.fragments: list[Fragment] = []
        self.types: set[str] = set()
        self.left = MOST_ELEMENTS

    def spend(self, elements: int) -> None:
        """Count ``elements`` before they are visited. Raises ``Unprocessable`` beyond ``MOST_ELEMENTS``."""
        self.left -= elements
        if self.left < 0:
            raise Unprocessable("The resource has more elements than this server takes.", code="too-costly")

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
