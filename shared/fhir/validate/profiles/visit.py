"""The state of one check against profiles: what was found, what may still be spent, where references can lead."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.errors import Issue
from shared.fhir.json import Resource
from shared.fhir.validate.walk import MOST_ISSUES, Place, expression

MOST_STEPS = 200_000
"""Occurrences that one check looks at, over all profiles; about half a second."""
DEEPEST = 8
"""Profiles within profiles."""
MOST_EVALUATIONS = 500
"""Expressions of FHIRPath that one check evaluates: 0.1 to 0.5 ms each for a small element."""
MOST_EVALUATED = 20_000
"""JSON values that all of them look at together: about a third of a second."""
LARGEST_EVALUATED = 4_000
"""JSON values that one of them looks at; with some, the library's time grows with their square."""


class TooCostly(Exception):
    """There is more to look at than ``MOST_STEPS`` allows."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Where the references of a resource can be followed: into itself, and into the Bundle that it is in."""

    root: Resource
    entries: Mapping[str, Resource] = field(default_factory=dict)
    """The resources of the Bundle by ``fullUrl``, and by ``Type/id``."""

    def resolve(self, reference: str) -> Resource | None:
        """The resource that a literal reference names, if it is at hand."""
        if reference == "#":
            return self.root
        if reference.startswith("#"):
            contained = self.root.get("contained", ())
            return next((each for each in contained if each.get("id") == reference[1:]), None)
        return self.entries.get(reference.split("/_history/")[0])


class Visit:
    """What one call of ``check_profile`` collects; several may share one."""

    __slots__ = ("depth", "evaluated", "evaluations", "issues", "left", "profile", "scope")

    def __init__(self, scope: Scope, *, left: int = MOST_STEPS) -> None:
        self.scope = scope
        self.issues: list[Issue] = []
        self.left = left
        self.evaluations = MOST_EVALUATIONS
        self.evaluated = MOST_EVALUATED
        self.depth = 0
        self.profile = ""
        """The last part of the URL of the profile whose rule is applied now."""

    def spend(self, steps: int) -> None:
        """Count ``steps`` before they are taken. Raises ``TooCostly``."""
        self.left -= steps
        if self.left < 0:
            raise TooCostly

    def report(
        self, code: str, text: str, place: Place | None, label: str = "", index: int = -1, *, severity: str = "error"
    ) -> None:
        """Note a finding, with the profile that it is about; nothing more is noted after ``MOST_ISSUES``."""
        if len(self.issues) < MOST_ISSUES:
            path = expression(place, label, index)
            issue = Issue(code, f"{self.profile}: {text}", (path,) if path else (), severity)
            if issue not in self.issues:
                self.issues.append(issue)

    def not_checked(self, what: str, place: Place | None, label: str = "", index: int = -1) -> None:
        """Note that something could not be judged here, which is neither right nor wrong."""
        self.report("informational", f"not checked: {what}", place, label, index, severity="information")

    def conforms(self, other: "Visit") -> bool:
        """Whether ``other``, a trial of the same check, found no error."""
        return all(issue.severity in ("warning", "information") for issue in other.issues)

    def trial(self) -> "Visit":
        """A visit whose findings do not count here, but whose steps do."""
        other = Visit(self.scope, left=self.left)
        other.evaluations, other.evaluated = self.evaluations, self.evaluated
        other.depth, other.profile = self.depth, self.profile
        return other

    def charge(self, trial: "Visit") -> None:
        """Take over what ``trial`` has spent."""
        self.left, self.evaluations, self.evaluated = trial.left, trial.evaluations, trial.evaluated


def type_named(reference: Mapping[str, Any], scope: Scope) -> str | None:
    """The type of a Reference's target: of what is at hand, else as the literal or ``type`` says; None if none does."""
    literal = reference.get("reference")
    if type(literal) is str:
        found = scope.resolve(literal)
        if found is not None:
            return str(found["resourceType"])
        steps = literal.split("/_history/")[0].split("?")[0].split("/")
        for step in (steps[-2:-1] or steps)[:1]:
            if step.isalpha() and step[:1].isupper() and not literal.startswith("urn:"):
                return step
    stated = reference.get("type")
    return stated if type(stated) is str and stated.isalpha() else None
