"""What a caller may do with a referral now, what each action asks for, and why another one is not for them."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.referrals.domain.actions import ACTIONS, Action, Code, targets, withdrawals
from services.referrals.domain.broadcast import has_offer, others_have_it
from services.referrals.domain.inputs import Input, Name
from services.referrals.domain.marks import REROUTED_AFTER, acknowledged, may_ask, returned, successor
from services.referrals.domain.moving import keeps_reason
from services.referrals.domain.parties import may_claim, sides
from services.referrals.domain.referral import needs_reason
from services.referrals.domain.states import state_of
from services.referrals.domain.transitions import Actor, State
from shared.errors import Conflict, ConsiliumError, Forbidden
from shared.fhir.json import Resource
from shared.security.caller import Caller, Role

BSER = "http://hl7.org/fhir/us/bser/StructureDefinition/referral-task"
SDOH = "http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/SDOHCC-TaskForReferralManagement"
"""It has no ``received``: what goes by it is accepted or declined at once."""
CLAIMING = frozenset({Code.CLAIM, Code.ACCEPT})
"""What makes an open referral one's own."""


@dataclass(frozen=True, slots=True)
class Available:
    """An action that the caller may take now."""

    action: Action
    targets: tuple[State, ...]
    """Where it leads, the first by default; none where the state stays."""
    inputs: tuple[Input, ...]


def available(task: Resource, caller: Caller, related: Mapping[str, Resource]) -> tuple[Available, ...]:
    """What ``caller`` may do with the referral ``task`` now; ``related`` is what ``task.related`` names."""
    actors = sides(task, caller, related)
    beside = _for_others(task, caller, related) if Actor.RECIPIENT not in actors else frozenset[Code]()
    return tuple(
        Available(action, _targets(action, task), _inputs(action, task))
        for action in ACTIONS.values()
        if action.code in beside or (action.actors & actors and _is_for(action, task, actors))
        if _fits(action, task)
    )


def _for_others(task: Resource, caller: Caller, related: Mapping[str, Resource]) -> frozenset[Code]:
    """What ``caller``, who does not own the referral, may do as one who could."""
    found = CLAIMING if _may_claim(task, caller, related) else frozenset[Code]()
    if has_offer(task, caller, related):
        # without recipients it would be open to everybody: the last one declines it
        found |= {Code.GIVE_BACK if others_have_it(task, caller, related) else Code.DECLINE}
    return found


def refusal(
    code: Code, task: Resource, caller: Caller, related: Mapping[str, Resource], offered: tuple[Available, ...]
) -> ConsiliumError:
    """Why ``caller`` may not take the action ``code``, which is not among those ``offered``."""
    action, actors = ACTIONS[code], sides(task, caller, related)
    if not actors and not offered:
        return Forbidden("The caller is neither requester nor owner of this referral.")
    if code in CLAIMING and not task.get("owner") and Actor.RECIPIENT not in actors:
        if not _may_claim(task, caller, related):
            return Forbidden("This open referral is not offered to the caller.")
    elif code not in (Code.CLAIM, Code.GIVE_BACK) and not action.actors & actors:
        return Forbidden(f"This action is for the {' or '.join(sorted(action.actors))}.")
    codes = ", ".join(each.action.code for each in offered) or "none"
    marks = [
        *(["returned with questions"] if returned(task) else []),
        *(["acknowledged"] if acknowledged(task) else []),
    ]
    state = ", ".join([str(state_of(task)), *marks])
    return Conflict(
        f"In the state {state} this action is not possible. Possible are: {codes}.",
        expression=("Task.status", "Task.businessStatus"),
    )


def is_harmonized(task: Resource) -> bool:
    """Whether the Task goes by the states of 360X and BSeR, or says so in its profile."""
    return state_of(task).business is not None or _claims_profile(task, BSER)


def _claims_profile(task: Resource, profile: str) -> bool:
    return profile in ((task.get("meta") or {}).get("profile") or ())


def own_reference(caller: Caller) -> str | None:
    """As whom the caller becomes an owner, if they do not say."""
    return caller.fhir_user or caller.organization


def _may_claim(task: Resource, caller: Caller, related: Mapping[str, Resource]) -> bool:
    own = own_reference(caller)
    after = {"status": "received", "owner": {"reference": own}}
    return own is not None and caller.role is not Role.PATIENT and may_claim(task, after, caller, related)


def _is_for(action: Action, task: Resource, actors: frozenset[Actor]) -> bool:
    """Whether the side on which the caller stands may take ``action`` here: a recipient hands on what is undecided."""
    undecided = task["status"] in ("requested", "received")
    return action.code is not Code.ASSIGN or Actor.INITIATOR in actors or undecided


def _fits(action: Action, task: Resource) -> bool:
    """Whether the state allows ``action``, whoever takes it."""
    state = state_of(task)
    if action.happened is not None:
        return bool(_targets(action, task))
    if action.statuses is not None and state.status not in action.statuses:
        return False
    match action.code:
        case Code.CLAIM:
            return not task.get("owner") and not _claims_profile(task, SDOH)
        case Code.OFFER:
            return not returned(task)
        case Code.RETURN_WITH_QUESTIONS:
            return may_ask(state) and not returned(task)
        case Code.ANSWER:
            return returned(task) is not None
        case Code.ACKNOWLEDGE_REPORT:
            return acknowledged(task) is None
        case Code.REROUTE:
            return successor(task) is None and (state.status in REROUTED_AFTER or bool(withdrawals(state)))
    return True


def _targets(action: Action, task: Resource) -> tuple[State, ...]:
    """Where it leads ``task``. Whoever claims says that it has come, which a Task may have said already."""
    source, harmonized = state_of(task), is_harmonized(task)
    if action.code is Code.CLAIM:
        return targets(ACTIONS[Code.ACKNOWLEDGE], source, harmonized=harmonized)
    if action.code is Code.REROUTE:
        return withdrawals(source, harmonized=harmonized)[:1]
    known_to_profile = not _claims_profile(task, SDOH)
    found = targets(action, source, harmonized=harmonized)
    return tuple(goal for goal in found if known_to_profile or goal.status != "received")


def _inputs(action: Action, task: Resource) -> tuple[Input, ...]:
    source, goals = state_of(task), _targets(action, task)
    # a row that stays in place tells something only by what comes with it
    stays = any(goal == source for goal in goals)
    own = [Input(name, required or (stays and name is Name.APPOINTMENT)) for name, required in action.takes]
    if any(map(needs_reason, goals)):
        own.insert(0, Input(Name.REASON, not all(keeps_reason(task, goal) for goal in goals)))
    if len(goals) > 1:
        own.append(Input(Name.STATE, choices=tuple(map(str, goals))))
    return (*own, Input(Name.COMMENT))
