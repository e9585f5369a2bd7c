"""What people do with a referral beside writing its Task over FHIR: load, change, let the rules decide, save."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from services.referrals.app.lookup import found, related_for, require_view, require_view_of_order
from services.referrals.domain import order as order_rules
from services.referrals.domain.acting import done
from services.referrals.domain.actions import Code
from services.referrals.domain.availability import available, refusal
from services.referrals.domain.inputs import Name, check_inputs
from services.referrals.domain.marks import REPLACED, marked
from services.referrals.domain.order_actions import available_for_order, order_refusal
from shared.engine import Engine
from shared.errors import Gone, NotFound
from shared.fhir.json import Resource, loads
from shared.security.caller import Caller
from shared.store.resources import Stored
from shared.unit_of_work import UnitOfWork, unit_of_work

Precondition = Callable[[UnitOfWork, Stored], None]
"""Raises where the caller has not seen the version that is there."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An action, and what comes with it."""

    code: Code
    given: Mapping[Name, str]
    where: Callable[[Name], str]
    """The path of an input in what the caller sent."""


async def perform(
    engine: Engine,
    caller: Caller,
    task_id: str,
    asked: Asked,
    *,
    precondition: Precondition,
    provenance: Resource | None = None,
) -> Stored:
    """Take one action on a referral. The new version of its Task; of the Task that takes its place, where one does.

    Raises ``NotFound``, ``Gone``, what ``precondition`` raises, and what the rules raise: ``Forbidden`` for an action
    of others, ``Conflict`` for one that the state does not allow, ``Unprocessable`` for inputs."""
    async with unit_of_work(engine, caller, provenance=provenance) as work:
        changed = await take(work, task_id, asked, precondition)
        await work.commit()
    return changed


async def take(work: UnitOfWork, task_id: str, asked: Asked, precondition: Precondition) -> Stored:
    """``perform``, in the name of whose work it is and without the commit."""
    caller = work.caller
    stored = await loaded(work, "Task", task_id)
    task = loads(stored.body)
    require_view(caller, task)
    precondition(work, stored)
    related = await related_for(await work.connection(), task, caller)
    offered = available(task, caller, related)
    offer = next((each for each in offered if each.action.code is asked.code), None)
    if offer is None:
        raise refusal(asked.code, task, caller, related, offered)
    check_inputs(offer.inputs, asked.given, asked.where)
    after = done(task, offer, asked.given, caller, related, work.now)
    if after.successor is None:
        return await work.update(after.task)
    changed = await work.create(after.successor)
    await work.update(marked(after.task, REPLACED, {"reference": f"Task/{changed.id}"}))
    return changed


async def perform_on_order(
    engine: Engine,
    caller: Caller,
    order_id: str,
    code: str,
    *,
    precondition: Precondition,
    provenance: Resource | None = None,
) -> Stored:
    """Take one action on an order; its new version. Raises the same; what follows for its referrals, follows."""
    async with unit_of_work(engine, caller, provenance=provenance) as work:
        stored = await loaded(work, "ServiceRequest", order_id)
        order = loads(stored.body)
        require_view_of_order(caller, order)
        precondition(work, stored)
        related = await found(await work.connection(), order_rules.related(None, order))
        action = next((each for each in available_for_order(order, caller, related) if each.code == code), None)
        if action is None:
            raise order_refusal(order, caller, related)
        changed = await work.update(order | {"status": action.status})
        await work.commit()
    return changed


async def loaded(work: UnitOfWork, type_: str, id_: str) -> Stored:
    """The current version, locked. Raises ``NotFound`` or ``Gone``."""
    stored = await work.load(type_, id_)
    if stored is None:
        raise NotFound("No such resource.")
    if stored.deleted:
        raise Gone("The resource was deleted.")
    return stored
