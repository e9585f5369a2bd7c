"""The decision about a Task: may this caller make this change now, and what does it tell?

Sides are judged on the Task as it was, so nobody makes themselves owner and accepts what is somebody else's; the one
exception is an open Task, which whoever accepts it may claim (SDOH-CC leaves the owner empty).
"""

from collections.abc import Iterable

from services.referrals.domain.agreement import ENDED_ORDERS, of_task
from services.referrals.domain.broadcast import check_given_back, check_offers, has_offer, taken, withdrawn
from services.referrals.domain.discipline import discipline_of, tagged
from services.referrals.domain.events import UNTOLD, changed, happened_between, removed
from services.referrals.domain.exchange_news import is_word_of_other_side
from services.referrals.domain.marks import check_marks, ended_by_step
from services.referrals.domain.opening import check_opening
from services.referrals.domain.parties import may_claim, sides, stand_ins, trusted
from services.referrals.domain.references import target
from services.referrals.domain.referral import check_requirements, is_referral, known_as, prioritized
from services.referrals.domain.states import TERMINAL, check_step, opened, state_of
from services.referrals.domain.task_elements import check_elements, check_results
from services.referrals.domain.transitions import Actor, Happened, State
from shared.errors import Conflict, Forbidden, Unprocessable
from shared.fhir.json import Resource
from shared.fhir.kinds import Consequence, Decision, DecisionContext
from shared.security.caller import Role


def related(before: Resource | None, after: Resource | None) -> Iterable[str]:
    """The roles and services behind requester, owner and whom it is offered to, and the order in the focus."""
    wanted: set[str] = set()
    for task in (before, after):
        if task is None:
            continue
        offered = (task.get("restriction") or {}).get("recipient") or ()
        wanted.update(stand_ins(task.get("requester"), task.get("owner"), *offered))
        if before is not None and (before.get("owner") or {}).get("identifier"):
            wanted.update(owner for owner in (target(task.get("owner")),) if owner is not None)
        focus = target(task.get("focus"))
        if focus is not None and focus.startswith("ServiceRequest/"):
            wanted.add(focus)
    return wanted


def held(after: Resource) -> Iterable[str]:
    """The order that a referral fulfils: whatever becomes of the two, becomes of them in turn."""
    order = target(after.get("focus"))
    return (order,) if order is not None and order.startswith("ServiceRequest/") else ()


def decide(before: Resource | None, after: Resource | None, context: DecisionContext) -> Decision:
    """Raises ``Forbidden``, ``Conflict`` or ``Unprocessable``; ``docs/referral-states.md`` tells when."""
    if after is None:
        return _delete(before or {}, context)
    if before is None:
        return _create(after, context)
    return _update(before, after, context)


def _create(task: Resource, context: DecisionContext) -> Decision:
    caller = context.caller
    if caller.role is Role.PATIENT:
        raise Forbidden("A patient does not open a Task.")
    if context.revives and not trusted(caller):
        raise Conflict("A deleted Task does not come back; open a new one.")
    state = state_of(task)
    imported = caller.role is Role.SYSTEM
    happened = opened(state, imported=imported)
    check_requirements(task, state, _order(task, context), imported=imported)
    actors = sides(task, caller, context.related)
    if caller.role is Role.CLINICIAN:
        if not task.get("requester"):
            raise Unprocessable("A Task needs its requester.", code="required", expression=("Task.requester",))
        if Actor.INITIATOR not in actors:
            raise Forbidden("A clinician opens a Task as its requester.", expression=("Task.requester",))
    if not actors:
        raise Forbidden("The caller is neither requester nor owner of this Task.")
    check_marks(None, task, actors, trusted=trusted(caller), imported=imported)
    check_opening(None, task, context)
    if not imported and is_referral(task):
        check_results(None, task, actors)
    if imported:
        # what was agreed elsewhere is taken as it is
        return _decided(happened, task, None, context)
    _check_in_force(None, task, context)
    return _decided(happened, task, None, context, of_task(None, task, context.related))


def _update(before: Resource, after: Resource, context: DecisionContext) -> Decision:
    caller = context.caller
    source, goal = state_of(before), state_of(after)
    actors = sides(before, caller, context.related)
    claimed = Actor.RECIPIENT not in actors and may_claim(before, after, caller, context.related)
    gives_back = not actors and not claimed and has_offer(before, caller, context.related)
    if gives_back:
        check_given_back(before, after, context)
    if claimed or gives_back:
        actors |= {Actor.RECIPIENT}
    if not actors:
        raise Forbidden("The caller is neither requester nor owner of this Task.")
    if goal != source and not is_word_of_other_side(before, after, caller):
        check_step(source, goal, actors)
    check_elements(before, after, actors, context, claimed=claimed)
    after = ended_by_step(before, after)
    known = known_as(before) if is_referral(after) else before
    check_marks(known, after, actors, trusted=trusted(caller), imported=trusted(caller))
    if not gives_back and not trusted(caller):
        check_offers(before, after, actors)
        after = taken(after, before, context, claimed=claimed)
    if Actor.INITIATOR in actors and Actor.INITIATOR not in sides(after, caller, context.related):
        raise Forbidden("The initiator stays the requester of the Task.", expression=("Task.requester",))
    check_requirements(after, goal, _order(after, context), imported=trusted(caller))
    check_opening(before, after, context)
    _check_in_force(known, after, context)
    consequences = of_task(known, after, context.related)
    gone = () if gives_back else withdrawn(before, after)
    if known is None:
        # what others know as another Task begins as a referral, where a referral may begin
        return _decided(opened(goal, imported=caller.role is Role.SYSTEM), after, None, context, consequences, gone)
    return _decided(happened_between(before, after), after, source, context, consequences, gone)


def _check_in_force(before: Resource | None, after: Resource, context: DecisionContext) -> None:
    """Raise ``Unprocessable`` where somebody is asked to fulfil an order that has ended."""
    order = _order(after, context)
    asks = before is None or before["status"] == "draft" != after["status"]
    ended = order is not None and order["status"] in ENDED_ORDERS
    if asks and ended and is_referral(after) and after["status"] not in TERMINAL and not trusted(context.caller):
        raise Unprocessable("The order in the focus has ended.", expression=("Task.focus",))


def _delete(before: Resource, context: DecisionContext) -> Decision:
    caller, status = context.caller, before["status"]
    if not trusted(caller):
        if Actor.INITIATOR not in sides(before, caller, context.related):
            raise Forbidden("Only the initiator deletes a Task.")
        if status not in UNTOLD:
            raise Conflict("A Task that was sent is cancelled, or marked entered-in-error, not deleted.")
    if status in UNTOLD or not is_referral(before):
        return Decision(None)
    return Decision(None, (removed(before, discipline_of(before, context.related)),))


def _order(task: Resource, context: DecisionContext) -> Resource | None:
    return context.related.get(target(task.get("focus")) or "")


def _decided(
    happened: Happened | None,
    task: Resource,
    previous: State | None,
    context: DecisionContext,
    consequences: tuple[Consequence, ...] = (),
    gone: tuple[str, ...] = (),
) -> Decision:
    if not is_referral(task):
        return Decision(task)
    discipline = discipline_of(task, context.related)
    facts = () if happened is None else (changed(happened, task, previous, discipline, gone),)
    return Decision(prioritized(tagged(task, discipline), _order(task, context)), facts, consequences)
