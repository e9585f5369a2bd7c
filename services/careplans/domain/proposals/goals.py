"""Goals of a proposal that come into the plan with what serves them (http://hl7.org/fhir/R4/goal.html)."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from services.careplans.domain.proposals.order import id_of
from shared.fhir.json import Resource

US_CORE_GOAL = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-goal"
_DAYS = {"d": 1, "wk": 7, "mo": 30, "a": 365}
"""Days of a UCUM unit of time; a month and a year are about that long."""


def goal_ids(proposal: str, goals: Iterable[str]) -> dict[str, str]:
    """The id that each contained goal has when it is stored: the same goal of a proposal comes once."""
    return {goal: id_of(proposal, goal, "Goal") for goal in goals}


def accepted_goal(draft: Resource, id_: str, now: datetime) -> Resource:
    """The Goal of a draft: proposed until the patient has agreed, its targets due from today on."""
    targets = [_dated(target, now) for target in draft.get("target") or ()]
    begins = {} if "startCodeableConcept" in draft else {"startDate": now.date().isoformat()}
    dated = {"target": targets} if targets else {}
    return draft | {"id": id_, "meta": {"profile": [US_CORE_GOAL]}} | begins | dated


def _dated(target: Resource, now: datetime) -> Resource:
    due = target.get("dueDuration") or {}
    days = _DAYS.get(due.get("code", ""))
    if days is None or "value" not in due:
        return target
    try:
        until = now.date() + timedelta(days=round(days * float(due["value"])))
    except OverflowError:  # no calendar has that day
        return target
    return {name: value for name, value in target.items() if name != "dueDuration"} | {"dueDate": until.isoformat()}
