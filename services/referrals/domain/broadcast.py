"""One referral offered to several at once: the recipients of an open Task. Whoever claims it first has it.

``Task.restriction.recipient`` (http://hl7.org/fhir/R4/task-definitions.html#Task.restriction.recipient) names to whom
it is offered. When one of them takes it, only they stay there: the offer to the others is withdrawn.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from services.referrals.domain.marks import RETURNED, without
from services.referrals.domain.parties import is_behind, is_same_party
from services.referrals.domain.references import content, target
from services.referrals.domain.referral import is_referral
from services.referrals.domain.transitions import Actor
from shared.errors import Forbidden, Unprocessable
from shared.fhir.json import Resource
from shared.fhir.kinds import DecisionContext
from shared.security.caller import Caller, Role

OFFERABLE = frozenset({"draft", "requested"})
"""Where nobody has it yet: whoever receives a referral is its owner."""
_DECLINED = frozenset({"status", "businessStatus", "statusReason"})
"""What changes, beside a note, when the last one declines."""
_WHERE = ("Task.restriction.recipient",)


def recipients(task: Resource) -> tuple[str, ...]:
    """To whom the Task is or was offered, as relative references."""
    found = map(target, _elements(task))
    return tuple(reference for reference in found if reference)


def offered(task: Resource) -> tuple[str, ...]:
    """To whom an open Task is offered; nobody before it is sent, once it has an owner, or when nobody can take it."""
    return recipients(task) if not task.get("owner") and task["status"] == "requested" else ()


def withdrawn(before: Resource, after: Resource) -> tuple[str, ...]:
    """To whom the Task was offered and is not any more, although they have not taken it."""
    still = recipients(after) if after.get("owner") else offered(after)
    return tuple(reference for reference in offered(before) if reference not in still)


def offered_to(task: Resource, to: Iterable[str]) -> Resource:
    """The Task, open, and offered to whom ``to`` refers."""
    open_ = {element: value for element, value in task.items() if element != "owner"}
    return _with(open_, [{"reference": reference} for reference in to])


def has_offer(task: Resource, caller: Caller, related: Mapping[str, Resource]) -> bool:
    """Whether the Task is offered to ``caller``, a role or an organization of theirs."""
    return caller.role is not Role.PATIENT and bool(offered(task)) and bool(_own(task, caller, related))


def others_have_it(task: Resource, caller: Caller, related: Mapping[str, Resource]) -> bool:
    """Whether the Task stays on offer when ``caller`` gives their offer back."""
    return bool(_others(task, caller, related))


def given_back(task: Resource, caller: Caller, related: Mapping[str, Resource]) -> Resource:
    """The Task, no longer offered to whom ``caller`` is."""
    return _with(task, _others(task, caller, related))


def taken(task: Resource, before: Resource, context: DecisionContext, *, claimed: bool) -> Resource:
    """The Task, offered to nobody any more but to whom has it: who ``claimed`` it, or whom the initiator chose."""
    if before.get("owner") or before["status"] not in OFFERABLE or not recipients(before) or not task.get("owner"):
        return task
    has_it = (
        _own(task, context.caller, context.related)
        if claimed
        else [each for each in _elements(task) if is_same_party(each, task["owner"], context.related)]
    )
    return _with(task, has_it)


def check_given_back(before: Resource, after: Resource, context: DecisionContext) -> None:
    """Raise where somebody who has nothing to do with a Task but an offer of it does more than to give that back.

    The last one who has the offer declines the referral: without recipients it would be open to everybody."""
    others = _others(before, context.caller, context.related)
    if before["status"] != after["status"]:
        if after["status"] != "rejected":
            raise Forbidden("The caller is neither requester nor owner of this Task.")
        if others:
            raise Unprocessable("It is offered to others still: give the offer back instead.", expression=_WHERE)
        _check_unchanged(before, after, _DECLINED)
        return
    if _elements(after) != others or not others:
        raise Unprocessable(
            "Whoever has an offer gives back their own; the last one declines the referral.", expression=_WHERE
        )
    _check_unchanged(_with(before, others), after, frozenset())


def _check_unchanged(expected: Resource, after: Resource, but: frozenset[str]) -> None:
    """Raise ``Forbidden`` where more is changed than ``but``; notes may be added."""
    old, new = content(without(expected, RETURNED)), content(without(after, RETURNED))
    said = old.pop("note", [])
    if new.pop("note", [])[: len(said)] != said or any(
        old.get(element) != new.get(element) for element in {*old, *new} - but
    ):
        raise Forbidden("The caller is neither requester nor owner of this Task.")


def check_offers(before: Resource, after: Resource, actors: frozenset[Actor]) -> None:
    """Raise ``Unprocessable`` or ``Forbidden`` where it is not for this caller to say to whom it is offered."""
    if not is_referral(before) or _elements(before) == _elements(after):
        return
    if Actor.INITIATOR not in actors:
        raise Forbidden("Only the initiator says to whom it is offered.", expression=_WHERE)
    if before["status"] not in OFFERABLE or after.get("owner"):
        raise Unprocessable("To whom it is offered does not change once somebody has it.", expression=_WHERE)


def _own(task: Resource, caller: Caller, related: Mapping[str, Resource]) -> list[Any]:
    return [each for each in _elements(task) if is_behind(caller, each, related)]


def _others(task: Resource, caller: Caller, related: Mapping[str, Resource]) -> list[Any]:
    own = _own(task, caller, related)
    return [each for each in _elements(task) if each not in own]


def _elements(task: Resource) -> list[Any]:
    return list((task.get("restriction") or {}).get("recipient") or ())


def _with(task: Resource, elements: list[Any]) -> Resource:
    rest = {name: value for name, value in (task.get("restriction") or {}).items() if name != "recipient"}
    restriction = rest | ({"recipient": elements} if elements else {})
    others = {name: value for name, value in task.items() if name != "restriction"}
    return others | ({"restriction": restriction} if restriction else {})
