"""What is not known, and why."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Gap:
    """A missing or unreadable element. ``reference`` is the resource, ``element`` a path as in an OperationOutcome."""

    reference: str
    element: str
    reason: str

    def __str__(self) -> str:
        return f"{self.reference} {self.element}: {self.reason}"
