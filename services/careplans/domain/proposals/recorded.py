"""Decisions as a stored proposal keeps them: one extension each, never changed, the last one of an action counts."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from services.careplans.domain.applying.extensions import extensions
from services.careplans.domain.codes import extension_value
from services.careplans.domain.proposals.codes import DECISION
from shared.fhir.json import Resource


class Answer(StrEnum):
    """What people say to an action."""

    ACCEPT = "accept"
    DECLINE = "decline"


@dataclass(frozen=True, slots=True)
class Recorded:
    """One decision. References are relative, ``by`` and ``owner`` are References."""

    action: str
    decision: str
    at: str
    by: Resource = field(default_factory=dict)
    reason: str | None = None
    patient: bool | None = None
    """Of what was declined: whether the patient did."""
    description: str | None = None
    """What people made of the proposed text."""
    discipline: str | None = None
    priority: str | None = None
    owner: Resource | None = None
    """Who is asked to do it."""
    activity: str | None = None
    """Of what was accepted: the id of its activity in the plan."""
    task: str | None = None
    service_request: str | None = None
    """Where another discipline must act: its Task and order."""

    @property
    def accepted(self) -> bool:
        """Whether the action is in the plan."""
        return self.decision == Answer.ACCEPT


_ELEMENTS = {
    "action": "valueString",
    "decision": "valueCode",
    "at": "valueDateTime",
    "by": "valueReference",
    "reason": "valueString",
    "patient": "valueBoolean",
    "description": "valueString",
    "discipline": "valueCode",
    "priority": "valueCode",
    "owner": "valueReference",
    "activity": "valueString",
    "task": "valueString",
    "service_request": "valueString",
}
"""How each field is written. What is not made yet is no Reference, which would have to lead somewhere."""


def as_extension(recorded: Recorded) -> Resource:
    """The extension of a decision."""
    values = ((name, element, getattr(recorded, name)) for name, element in _ELEMENTS.items())
    parts = [{"url": _url(name), element: value} for name, element, value in values if value not in (None, {})]
    return {"url": DECISION, "extension": parts}


def decisions(group: Resource) -> Iterator[Recorded]:
    """All decisions on a proposal, in the order in which they came."""
    for extension in extensions(group, DECISION):
        found: dict[str, Any] = {name: extension_value(extension, _url(name)) for name in _ELEMENTS}
        yield Recorded(**{name: value for name, value in found.items() if value is not None})


def latest(group: Resource) -> dict[str, Recorded]:
    """The decision that counts, by action."""
    return {each.action: each for each in decisions(group)}


def _url(name: str) -> str:
    return name.replace("_", "-")
