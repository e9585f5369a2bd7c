"""Taking a referral back over there: it was deleted here, ended before anybody saw it, or others are asked by now."""

from dataclasses import replace

from services.referrals.app.exchange_here import Here, Visit
from services.referrals.app.exchange_settling import settle
from services.referrals.domain.exchange_news import state_in, task_of
from services.referrals.domain.exchange_pace import after_look
from services.referrals.domain.exchange_package import placer
from services.referrals.domain.exchange_states import withdrawal
from services.referrals.domain.moving import moved
from services.referrals.domain.states import ENTERED_IN_ERROR
from services.referrals.domain.transitions import State
from services.referrals.store.exchanges import Exchange, Stands


async def nothing_there(on: Visit, held: Exchange, here: Here) -> None:
    """No Task was created, as far as can be seen; a request that is under way may yet arrive."""
    sure = held.attempts == 1
    if not sure:
        await _take_order_back(on, held, here)
    looks = len(on.delays.afterwards) if sure else held.looks
    next_at = after_look(looks, on.engine.clock(), on.delays, ended=True)
    state = Stands.ENDED if next_at is None else Stands(held.state)
    await settle(on.engine, replace(held, state=state, looks=looks + 1), seen=here.version, next_at=next_at)


async def _take_order_back(on: Visit, held: Exchange, here: Here) -> None:
    """An order that was created there without its Task is revoked."""
    order = here.source.order if here.source is not None else None
    if order is None:
        return
    there = await on.client.find(held.address, "ServiceRequest", placer("ServiceRequest", order["id"], on.terms.base))
    if there is not None and there.get("status") == "active":
        await on.client.update(held.address, there | {"status": "revoked"})


async def withdraw(on: Visit, held: Exchange, here: Here) -> None:
    """Take back there what was deleted here, or is asked of somebody else by now."""
    base, client = held.address, on.client
    if held.remote_task is not None:
        there = task_of(await client.read(base, held.remote_task))
    else:
        found = await client.find(base, "Task", placer("Task", held.task, on.terms.base)) if held.attempts > 1 else None
        if found is None:
            await nothing_there(on, held, here)
            return
        there = task_of(found)
    state = state_in(there)
    mistake = State(ENTERED_IN_ERROR, state.business) if state.status != ENTERED_IN_ERROR else None
    goal = mistake if here.source is None else withdrawal(state)
    if goal is not None:
        await client.update(base, moved(there, goal, "Withdrawn by the requester."))
    done = replace(held, state=Stands.ENDED, remote_task=f"Task/{there['id']}", looked=here.version, trouble=None)
    await settle(on.engine, done, seen=here.version, next_at=None)
