"""What ``apply`` answers: every action of the plan, its outcome, and why."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from services.careplans.domain.applying.inputs import Input
from shared.fhir.json import Resource

ADVISORY = "Advice for clinicians and the patient to decide on together; nothing of it is ordered."


class Outcome(StrEnum):
    """What became of an action."""

    PROPOSED = "proposed"
    NOT_INDICATED = "not-indicated"
    UNKNOWN = "unknown"
    """Data is missing that would decide."""
    DECLINED = "declined"
    CONTRAINDICATED = "contraindicated"


@dataclass(frozen=True, slots=True)
class Judged:
    """One condition, contraindication or caution over the record."""

    text: str
    expression: str | None
    """None: no record tells, people have to ask."""
    result: bool | None
    inputs: tuple[Input, ...] = ()
    decisive: tuple[Input, ...] = ()
    """Those of the inputs that lead to the result: each by itself, or where none does, all that are known."""

    @property
    def needs(self) -> tuple[Input, ...]:
        """What is missing, where that is why the result is not known."""
        return tuple(entry for entry in self.inputs if entry.missing) if self.result is None else ()

    def told(self) -> str:
        """The condition and the inputs that decided."""
        facts = "; ".join(entry.told() for entry in (self.needs if self.result is None else self.decisive))
        return f"{self.text}: {facts}" if facts else self.text


@dataclass(frozen=True, slots=True)
class Considered:
    """One action of the plan."""

    id: str
    title: str
    outcome: Outcome
    reason: str
    """Why it is proposed, or why not."""
    action: Resource
    """``PlanDefinition.action`` with its dynamic values."""
    definition: Resource | None = None
    """The ActivityDefinition."""
    conditions: tuple[Judged, ...] = ()
    inherited: tuple[Judged, ...] = ()
    """The conditions of what it is part of."""
    contraindications: tuple[Judged, ...] = ()
    """Those that apply or are not known."""
    cautions: tuple[Judged, ...] = ()
    """Those that apply, are not known, or have to be asked."""
    preferred: bool = False
    children: tuple["Considered", ...] = ()

    @property
    def proposed(self) -> bool:
        """Whether it is in the proposal."""
        return self.outcome is Outcome.PROPOSED

    @property
    def itself(self) -> str:
        """Its id among its own parts, where it is something beside them."""
        return f"{self.id}-itself"

    def ids(self) -> Iterator[str]:
        """The ids that it has in a proposal."""
        yield self.id
        if self.children and self.definition is not None:
            yield self.itself

    def needs(self) -> Iterator[Input]:
        """What is missing to decide on this action, or to know that it is safe; its parts aside."""
        deciding = {
            Outcome.UNKNOWN: self.conditions,
            Outcome.PROPOSED: (*self.contraindications, *self.cautions),
        }
        for judged in deciding.get(self.outcome, ()):
            yield from judged.needs

    def all(self) -> Iterator["Considered"]:
        """It and its parts, in the order of the plan."""
        yield self
        for child in self.children:
            yield from child.all()


@dataclass(frozen=True, slots=True)
class Proposal:
    """A plan applied to one patient at one moment."""

    canonical: str
    """Of the PlanDefinition, with its version."""
    plan: Resource
    subject: str
    as_of: datetime
    actions: tuple[Considered, ...]
    goals: tuple[dict[str, Any], ...] = ()
    """``PlanDefinition.goal`` of what is proposed."""
    notes: tuple[str, ...] = ()

    def all(self) -> Iterator[Considered]:
        """Every action in the order of the plan, among choices first what the patient would like."""
        for action in self.actions:
            yield from action.all()

    def needs(self) -> tuple[Input, ...]:
        """Everything that was missing, each once, in the order of the plan."""
        return tuple({entry.name: entry for action in self.all() for entry in action.needs()}.values())

    @property
    def empty(self) -> bool:
        """Whether nothing is proposed."""
        return not any(action.proposed for action in self.actions)
