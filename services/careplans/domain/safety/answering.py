"""What people may do to a finding, whatever way they come: answer it with a reason, and change nothing else."""

import calendar
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.careplans.domain.codes import extension_value
from services.careplans.domain.safety.issues import (
    BY_PEOPLE,
    BY_RULES,
    REASON,
    STATE,
    UNTIL,
    State,
    Transitions,
    is_finding,
    patient_of,
    rule_of,
    state_of,
    until_of,
)
from shared.clock import instant
from shared.errors import Conflict, Forbidden, Unprocessable
from shared.fhir.json import Resource
from shared.security.caller import Caller, Role

SNOOZES = (1, 3)
"""Months."""
LONGEST_REASON = 1000
_OPEN_TO_PEOPLE = frozenset({"extension", "meta", "text", "status"})
_OF_STATE = (STATE, REASON, UNTIL)


class What(StrEnum):
    """What happened to a finding."""

    OPENED = "opened"
    ANSWERED = "answered"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class FindingFact:
    """A finding was opened, answered or resolved. It never carries clinical text."""

    what: What
    patient: str | None
    rule: str
    certain: bool
    """False where it depends on what is not decided."""


def decide_by_rules(before: Resource | None, after: Resource | None) -> tuple[FindingFact, ...]:
    """The facts of a write by the service itself. Raises ``Conflict`` for a transition that rules do not make."""
    _require(BY_RULES, before, after)
    return facts(before, after)


def decide_by_people(
    before: Resource | None, after: Resource | None, caller: Caller, now: datetime
) -> tuple[Resource | None, tuple[FindingFact, ...]]:
    """What is stored of an answer, and its facts.

    Raises ``Forbidden`` for who makes or deletes a finding, ``Unprocessable`` for an answer without a reason, a snooze
    of another length or a change of anything else, ``Conflict`` for an answer that may not follow."""
    if before is None or not is_finding(before):
        raise Forbidden("Findings of the safety rules are made by the rules.", expression=("DetectedIssue.identifier",))
    if after is None:
        if caller.role not in (Role.COORDINATOR, Role.SYSTEM):
            raise Forbidden("A finding is not deleted: resolve it.")
        return None, ()
    _nothing_else(before, after)
    if _state(before) == _state(after):
        return after | {"status": before["status"]}, ()
    _require(BY_PEOPLE, before, after)
    return _answered(before, after, caller, now), facts(before, after)


def _answered(before: Resource, after: Resource, caller: Caller, now: datetime) -> Resource:
    state = state_of(after)
    reason = extension_value(after, REASON)
    if not isinstance(reason, str) or not reason.strip() or len(reason) > LONGEST_REASON:
        raise Unprocessable("An answer needs a reason.", code="required", expression=(_path(REASON),))
    until = until_of(after)
    if state is State.SNOOZED and (until is None or until.date() not in {later(now, each).date() for each in SNOOZES}):
        raise Unprocessable("A finding is snoozed for 1 or 3 months from now.", expression=(_path(UNTIL),))
    if state is not State.SNOOZED and extension_value(after, UNTIL) is not None:
        raise Unprocessable("Only a snooze has an end.", expression=(_path(UNTIL),))
    action: Resource = {"action": {"text": f"{state}: {reason}"}, "date": instant(now)}
    if caller.fhir_user is not None and caller.fhir_user.startswith(("Practitioner/", "PractitionerRole/")):
        action["author"] = {"reference": caller.fhir_user}
    status = "cancelled" if state is State.RESOLVED else before["status"]
    return after | {"mitigation": [*(before.get("mitigation") or ()), action], "status": status}


def facts(before: Resource | None, after: Resource | None) -> tuple[FindingFact, ...]:
    """What a write tells: a change of the state, and no refresh of the content."""
    if after is None or (before is not None and _state(before) == _state(after)):
        return ()
    state = state_of(after)
    if state is State.OPEN:
        what = What.OPENED
    else:
        what = What.ANSWERED if state in (State.ACKNOWLEDGED, State.SNOOZED) else What.RESOLVED
    return (FindingFact(what, patient_of(after), rule_of(after) or "", after.get("status") != "preliminary"),)


def _state(issue: Resource) -> tuple[object, ...]:
    return tuple(extension_value(issue, each) for each in _OF_STATE)


def _require(transitions: Transitions, before: Resource | None, after: Resource | None) -> None:
    if before is None or after is None:
        return
    was, is_ = state_of(before), state_of(after)
    if is_ is None:
        raise Unprocessable("A finding has one of the known states.", expression=(_path(STATE),))
    refreshed = was is is_ and transitions is BY_RULES
    if was is not None and not refreshed and is_ not in transitions[was]:
        raise Conflict(f"A finding that is {was} does not become {is_}.", expression=(_path(STATE),))


def _nothing_else(before: Resource, after: Resource) -> None:
    names = (before.keys() | after.keys()) - _OPEN_TO_PEOPLE
    changed = sorted(name for name in names if before.get(name) != after.get(name))
    others = [
        [each for each in issue.get("extension") or () if each.get("url") not in _OF_STATE] for issue in (before, after)
    ]
    if others[0] != others[1]:
        changed.append("extension")
    if changed:
        paths = tuple(f"DetectedIssue.{name}" for name in changed)
        raise Unprocessable("Of a finding of the rules only its state changes by hand.", expression=paths)


def _path(url: str) -> str:
    return f"DetectedIssue.extension('{url}')"


def later(now: datetime, months: int) -> datetime:
    """``months`` after ``now``; on the last day of a month that is shorter."""
    year, month = divmod(now.year * 12 + now.month - 1 + months, 12)
    day = min(now.day, calendar.monthrange(year, month + 1)[1])
    return now.replace(year=year, month=month + 1, day=day)
