"""What a rule is, what it says of a patient, and what a finding names: rule, version, source, inputs, missing data."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from services.careplans.domain.safety.facts import Facts


class Severity(StrEnum):
    """http://hl7.org/fhir/R4/valueset-detectedissue-severity.html"""

    HIGH = "high"
    MODERATE = "moderate"
    LOW = "low"


class Outcome(StrEnum):
    """How sure a verdict is."""

    FOUND = "found"
    POSSIBLE = "possible"
    """It depends on what is not decided or old: a sum that is a range, a value from long ago."""
    UNKNOWN = "unknown"
    """It cannot be judged; what is missing is named."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a rule comes from."""

    cited: str
    section: str
    url: str | None = None

    def __str__(self) -> str:
        return f"{self.cited}, {self.section}"


@dataclass(frozen=True, slots=True)
class Input:
    """What a verdict looked at. ``value`` says it in words; ``references`` are the resources behind it."""

    what: str
    value: str
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule says of one patient."""

    outcome: Outcome
    detail: str
    inputs: tuple[Input, ...] = ()
    missing: tuple[str, ...] = ()
    substance: tuple[str, ...] = ()
    """What makes it this finding and no other: ingredients, dose bands, conditions. No resource ids, so that a renewal
    is no news."""
    severity: Severity | None = None
    """Where it differs from the rule's."""
    about: str = ""
    """Of a rule that may give several verdicts at once: which of them it is."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. ``trigger`` and ``answer`` are for people; ``judge`` is pure."""

    id: str
    version: str
    title: str
    """Shorter than 140 characters: the summary of a card."""
    severity: Severity
    source: Source
    trigger: str
    answer: str
    judge: Callable[[Facts], Iterator[Verdict]]
    of_opioids: bool = False
    """Off under the exclusions of CDC 2022."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule's verdict on a patient."""

    rule: Rule
    verdict: Verdict

    @property
    def severity(self) -> Severity:
        """How bad it may be."""
        return self.verdict.severity or self.rule.severity

    @property
    def topic(self) -> str:
        """The rule, and which of its verdicts."""
        return f"{self.rule.id}:{self.verdict.about}" if self.verdict.about else self.rule.id

    @property
    def key(self) -> str:
        """Rule and substance in a form that fits an identifier; the same for the same substance in any order."""
        parts = "\n".join((self.rule.id, *sorted(self.verdict.substance)))
        return hashlib.sha256(parts.encode()).hexdigest()[:32]

    @property
    def references(self) -> tuple[str, ...]:
        """All resources that it looked at, each once."""
        return tuple(dict.fromkeys(each for found in self.verdict.inputs for each in found.references))


@dataclass(frozen=True, slots=True)
class Silenced:
    """A finding that does not hold for this patient, and why."""

    finding: Finding
    why: str
    references: tuple[str, ...]
