"""What no state of a Task says: that it waits for an answer, that its report was acknowledged, and what replaces it.

Each is an extension of the Task (http://hl7.org/fhir/R4/extensibility.html). Who may set it, and when, holds for
whatever way the Task is written.
"""

from typing import Any

from services.referrals.domain.references import target
from services.referrals.domain.referral import CANCELLATION_REQUESTED, is_referral
from services.referrals.domain.states import state_of
from services.referrals.domain.transitions import Actor, State
from shared.errors import Conflict, Forbidden, Unprocessable
from shared.fhir.json import Resource

_DEFINITIONS = "https://consilium.care/fhir/StructureDefinition"
RETURNED = f"{_DEFINITIONS}/returned-with-questions"
"""The recipient has asked something, which is in ``Task.note``, and the initiator has not answered yet."""
ACKNOWLEDGED = f"{_DEFINITIONS}/report-acknowledged"
"""The initiator has read the report: the loop is closed."""
REPLACED = f"{_DEFINITIONS}/replaced-by"
"""A referral to somebody else that was sent in its place."""
_VALUES = {RETURNED: "valueDateTime", ACKNOWLEDGED: "valueDateTime", REPLACED: "valueReference"}
ASKABLE = frozenset({"requested", "received", "accepted", "ready", "in-progress", "on-hold"})
"""Where a question can be waiting: it was sent, and has not ended."""
REROUTED_AFTER = frozenset({"rejected", "cancelled", "failed"})
"""An end after which a referral is sent to somebody else."""
_WHERE = ("Task.extension",)


def may_ask(state: State) -> bool:
    """Whether the recipient of a referral in ``state`` may ask something back."""
    return state.status in ASKABLE and state != CANCELLATION_REQUESTED


def returned(task: Resource) -> str | None:
    """Since when the referral waits for an answer; None where it does not."""
    return _moment(task, RETURNED) if may_ask(state_of(task)) else None


def acknowledged(task: Resource) -> str | None:
    """When the report was acknowledged; None where it was not."""
    return _moment(task, ACKNOWLEDGED)


def successor(task: Resource) -> str | None:
    """The Task that replaces ``task``, as a relative reference."""
    return next((target(mark.get("valueReference")) for mark in _marks(task, REPLACED)), None)


def marked(task: Resource, url: str, value: Any) -> Resource:
    """The Task with the mark ``url``, and no other of that name."""
    others = without(task, url).get("extension") or []
    return task | {"extension": [*others, {"url": url, _VALUES[url]: value}]}


def without(task: Resource, url: str) -> Resource:
    """The Task without the mark ``url``."""
    kept = [each for each in task.get("extension") or () if each not in _marks(task, url)]
    rest = {element: value for element, value in task.items() if element != "extension"}
    return rest | {"extension": kept} if kept else rest


def ended_by_step(before: Resource, after: Resource) -> Resource:
    """``after`` without a question that was there before the Task took a step: the step makes it needless."""
    stays = _marks(before, RETURNED) != _marks(after, RETURNED) or state_of(before) == state_of(after)
    return after if stays or not is_referral(after) else without(after, RETURNED)


def check_marks(
    before: Resource | None, after: Resource, actors: frozenset[Actor], *, trusted: bool, imported: bool = False
) -> None:
    """Raise ``Unprocessable``, ``Conflict`` or ``Forbidden`` where a mark is not for this caller to set or take now.

    A back end that ``imported`` the Task brings its marks along."""
    if not is_referral(after):
        return
    for url, value in _VALUES.items():
        marks = _marks(after, url)
        if len(marks) > 1 or any(value not in mark for mark in marks):
            raise Unprocessable(f"This extension comes once, with a {value}.", expression=_WHERE)
    if before is None:
        if not imported and any(_marks(after, url) for url in _VALUES):
            raise Unprocessable("A new referral has no questions, no report and no successor.", expression=_WHERE)
        return
    if _marks(before, RETURNED) != _marks(after, RETURNED):
        _check_returned(before, after, actors)
    for url in (ACKNOWLEDGED, REPLACED):
        if _marks(before, url) == _marks(after, url):
            continue
        if _marks(before, url):
            raise Unprocessable("This extension is set once, for good.", expression=_WHERE)
        if Actor.INITIATOR not in actors:
            raise Forbidden("Only the initiator sets this extension.", expression=_WHERE)
    if _marks(before, ACKNOWLEDGED) != _marks(after, ACKNOWLEDGED):
        _check_acknowledged(before, after, trusted=trusted)
    if _marks(before, REPLACED) != _marks(after, REPLACED):
        _check_replaced(after)


def _check_returned(before: Resource, after: Resource, actors: frozenset[Actor]) -> None:
    if _marks(after, RETURNED):
        if not may_ask(state_of(after)):
            raise Conflict("Questions go back while a referral is sent and has not ended.", expression=_WHERE)
        if Actor.RECIPIENT not in actors:
            raise Forbidden("Only the recipient returns a referral with questions.", expression=_WHERE)
    elif state_of(before) == state_of(after) and Actor.INITIATOR not in actors:
        # a step beyond makes the question needless, whoever takes it
        raise Forbidden("Only the initiator answers the questions.", expression=_WHERE)


def _check_acknowledged(before: Resource, after: Resource, *, trusted: bool) -> None:
    if after["status"] != "completed" or (before["status"] != "completed" and not trusted):
        raise Conflict("The report of a referral is acknowledged when it is completed.", expression=_WHERE)


def _check_replaced(after: Resource) -> None:
    if after["status"] not in REROUTED_AFTER:
        raise Conflict("A referral is replaced when it was declined, cancelled, or has failed.", expression=_WHERE)
    # set for good: what names no other Task would keep it from ever being replaced
    replaced_by = successor(after) or ""
    if not replaced_by.startswith("Task/") or replaced_by == f"Task/{after['id']}":
        raise Unprocessable("A referral is replaced by another Task.", expression=_WHERE)


def _moment(task: Resource, url: str) -> str | None:
    return next((mark.get("valueDateTime") for mark in _marks(task, url)), None)


def _marks(task: Resource, url: str) -> list[dict[str, Any]]:
    found = task.get("extension") or ()
    return [each for each in found if isinstance(each, dict) and each.get("url") == url]
