"""What an action makes of a referral, before ``task.decide`` has judged it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.referrals.domain.actions import Code
from services.referrals.domain.availability import CLAIMING, Available, is_harmonized, own_reference
from services.referrals.domain.broadcast import given_back, offered_to
from services.referrals.domain.inputs import Name
from services.referrals.domain.marks import ACKNOWLEDGED, RETURNED, marked, without
from services.referrals.domain.moving import moved
from services.referrals.domain.notes import noted
from services.referrals.domain.rerouting import sent_anew
from services.referrals.domain.transitions import State
from shared.clock import instant
from shared.fhir.json import Resource
from shared.security.caller import Caller

_OUTPUTS = {
    Name.APPOINTMENT: "appointment",
    Name.NOTE: "interim consultation note",
    Name.REPORT: "consultation report",
}
"""What came of it, in words (Task.output.type)."""
_SAID = (Name.QUESTIONS, Name.ANSWER, Name.COMMENT)


@dataclass(frozen=True, slots=True)
class Done:
    """The Task after the action, and the Task that takes its place, if there is one."""

    task: Resource
    successor: Resource | None = None


def done(
    task: Resource,
    offer: Available,
    given: Mapping[Name, str],
    caller: Caller,
    related: Mapping[str, Resource],
    at: datetime,
) -> Done:
    """``task`` after the action of ``offer``; ``given`` has passed ``check_inputs``.

    ``related`` has the author of a note beside what the rules want."""
    target = _target(offer, given)
    after = task if target is None else moved(task, target, given.get(Name.REASON))
    match offer.action.code:
        case Code.RETURN_WITH_QUESTIONS:
            after = marked(after, RETURNED, instant(at))
        case Code.ANSWER:
            after = without(after, RETURNED)
        case Code.ACKNOWLEDGE_REPORT:
            after = marked(after, ACKNOWLEDGED, instant(at))
        case Code.OFFER:
            after = offered_to(after, given[Name.RECIPIENTS].split())
        case Code.GIVE_BACK:
            after = given_back(after, caller, related)
        case Code.REROUTE:
            # what else is said, is said to whom it is for now
            anew = sent_anew(task, given[Name.OWNER], at, harmonized=is_harmonized(task))
            return Done(after, _noted(anew, given, caller, at, related))
    claims = offer.action.code in CLAIMING and not task.get("owner")
    becomes = given.get(Name.OWNER) or (own_reference(caller) if claims else None)
    if becomes is not None:
        after = after | {"owner": {"reference": becomes}}
    outputs = [_output(name, given[name]) for name in _OUTPUTS if name in given]
    if outputs:
        after = after | {"output": [*(after.get("output") or ()), *outputs]}
    return Done(_noted(after, given, caller, at, related))


def _target(offer: Available, given: Mapping[Name, str]) -> State | None:
    """The state that was chosen among those of ``offer``; the first by default."""
    chosen = given.get(Name.STATE)
    fitting = [goal for goal in offer.targets if chosen is None or str(goal) == chosen]
    return fitting[0] if fitting else None


def _output(name: Name, reference: str) -> Resource:
    return {"type": {"text": _OUTPUTS[name]}, "valueReference": {"reference": reference}}


def _noted(
    task: Resource, given: Mapping[Name, str], caller: Caller, at: datetime, related: Mapping[str, Resource]
) -> Resource:
    return noted(task, [given[name] for name in _SAID if name in given], caller, at, related)
