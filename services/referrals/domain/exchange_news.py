"""What of the other side's Task is taken over here: what is the recipient's, and never what is the requester's."""

import re
from collections.abc import Iterator
from typing import Any

from services.referrals.domain.exchange_package import Terms, notes_of_both
from services.referrals.domain.exchange_references import translated
from services.referrals.domain.exchange_states import Course, Plan
from services.referrals.domain.moving import moved
from services.referrals.domain.parties import trusted
from services.referrals.domain.referral import has_text, needs_reason
from services.referrals.domain.states import state_of
from services.referrals.domain.task_elements import RESULTS
from services.referrals.domain.transitions import State
from shared.errors import ConsiliumError
from shared.fhir.json import Resource
from shared.security.caller import OWN, Caller

NO_REASON = "No reason was given."
MARK = {"system": "urn:consilium:exchange", "code": "word-of-the-other-side"}
"""The tag of a Task that came to its state because another system said so, and not by a step of the tables."""
_HEARD = ("meta", "status", "businessStatus", "statusReason", "note", *RESULTS)
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}").fullmatch
EXCHANGE = f"{OWN}exchange"
"""Whoever carries a referral on with another system, as the caller of what it changes here."""


class Odd(Exception):
    """What the other side sent is no Task that could be followed."""


def task_of(body: Any) -> Resource:
    """``body`` as the Task that it says it is. Raises ``Odd``."""
    if not isinstance(body, dict) or body.get("resourceType") != "Task" or not _is_id(body.get("id")):
        raise Odd
    meta, status = body.get("meta"), body.get("status")
    if not isinstance(meta, dict) or not _is_id(meta.get("versionId")) or not isinstance(status, str):
        raise Odd
    return body


def heard(task: Resource) -> Resource:
    """What of a Task from elsewhere is looked at here; to be checked like anything that comes in."""
    found = {element: task[element] for element in _HEARD if element in task}
    found["meta"] = {"versionId": task["meta"]["versionId"]}
    return found | {"resourceType": "Task", "id": task["id"], "intent": "order"}


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and _ID(value) is not None


def state_in(task: Resource) -> State:
    """The state of a Task from elsewhere. Raises ``Odd`` for a business status that BSeR does not have."""
    try:
        return state_of(task)
    except ConsiliumError as error:
        raise Odd from error


def versions(here: Resource, there: Resource, plan: Plan, terms: Terms) -> Iterator[Resource]:
    """The Task here as it follows ``there``: a version for each state on the way, the last with all the news.

    None of them where there is no news."""
    now = here
    for state in plan.states[:-1]:
        now = moved(now, state, _reason(there) if needs_reason(state) else None)
        yield now
    last = plan.states[-1] if plan.states else state_in(here)
    arrived = _with_news(now, there, last, terms, plan.course)
    if arrived != now:
        yield arrived


def is_word_of_other_side(before: Resource, after: Resource, caller: Caller) -> bool:
    """Whether ``after`` is no step but the word of another system, taken over by the service and marked as such."""
    return trusted(caller) and caller.subject == EXCHANGE and MARK in _tags(after) and before["id"] == after["id"]


def _with_news(now: Resource, there: Resource, state: State, terms: Terms, course: Course) -> Resource:
    theirs = {element: _whole(there.get(element), there, terms) for element in (*RESULTS, "note")}
    theirs = translated(theirs, terms.partner, terms.base)
    changes: dict[str, Any] = {element: theirs[element] for element in RESULTS}
    changes["note"] = notes_of_both(theirs, now) or None
    if course is not Course.AHEAD:
        changes["status"] = state.status
        if state == state_in(there):
            changes["businessStatus"] = there.get("businessStatus")
        if reason := _concept(now, there, state):
            changes["statusReason"] = reason
        elif not needs_reason(state):
            changes["statusReason"] = None
    arrived = {element: value for element, value in (now | changes).items() if value is not None}
    if course is Course.WORD:
        return _tagged(arrived, MARK)
    return arrived if state_of(now) == state or course is Course.AHEAD else _tagged(arrived)


def _concept(now: Resource, there: Resource, state: State) -> Any:
    given, ours = there.get("statusReason"), now.get("statusReason")
    if has_text(given):
        return given
    if needs_reason(state) and has_text(ours) and state_of(now) == state:
        return ours
    return (given or {}) | {"text": NO_REASON} if given or needs_reason(state) else None


def _reason(there: Resource) -> str:
    return str(there["statusReason"]["text"]) if has_text(there.get("statusReason")) else NO_REASON


def _whole(value: Any, there: Resource, terms: Terms) -> Any:
    """Without references to what is contained there: they lead to it by the URL of the Task."""
    if isinstance(value, list):
        return [_whole(each, there, terms) for each in value]
    if not isinstance(value, dict):
        return value
    found = {key: _whole(each, there, terms) for key, each in value.items()}
    literal = found.get("reference")
    if isinstance(literal, str) and literal.startswith("#"):
        found["reference"] = f"{terms.partner}/Task/{there['id']}{literal}"
    return found


def _tags(task: Resource) -> list[Any]:
    return (task.get("meta") or {}).get("tag") or []


def _tagged(task: Resource, *mark: Resource) -> Resource:
    """``task`` with ``mark``, or without any."""
    wanted = [*(tag for tag in _tags(task) if tag != MARK), *mark]
    if wanted == _tags(task):
        return task
    meta = {key: value for key, value in (task.get("meta") or {}).items() if key != "tag"}
    return task | {"meta": meta | ({"tag": wanted} if wanted else {})}
