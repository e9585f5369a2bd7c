"""One visit to the other side of a referral: send what it does not know, hear what is new there, follow that here.

Nothing is held while the other side is asked. What it said is written here in one transaction with the row that says
so; a visit that is lost anywhere is made again, and asks for nothing that was done.
"""

from dataclasses import replace
from datetime import datetime

from services.referrals.app.exchange_here import Here, Visit, look_here
from services.referrals.app.exchange_settling import settle, settle_with, told
from services.referrals.app.exchange_withdrawing import nothing_there, withdraw
from services.referrals.domain.events import Telling
from services.referrals.domain.exchange_news import EXCHANGE, Odd, heard, state_in, task_of, versions
from services.referrals.domain.exchange_pace import Trouble, after_look
from services.referrals.domain.exchange_package import (
    Source,
    order_to_send,
    order_with_news,
    placer,
    task_to_send,
    task_with_news,
)
from services.referrals.domain.exchange_states import Course, Plan, plan, same, wish
from services.referrals.domain.states import TERMINAL, state_of
from services.referrals.domain.transitions import State
from services.referrals.partners.trouble import PartnerTrouble
from services.referrals.store.exchanges import Exchange, Stands
from shared.fhir.json import Resource, loads
from shared.fhir.validate import check
from shared.security.caller import Caller, Role
from shared.unit_of_work import unit_of_work

ROUNDS = 3
"""How often what is sent is built anew when the other side changed meanwhile, before others have their turn."""


async def visit(on: Visit, held: Exchange) -> None:
    """Visit the other side once. Raises ``PartnerTrouble``, ``Odd``, and what a unit of work raises."""
    here = await look_here(on.engine, held.task)
    if held.leaving or here.source is None:
        await withdraw(on, held, here)
    elif held.remote_task is None:
        await _send(on, held, here, here.source)
    else:
        await _carry_on(on, held, here, here.source)


async def _send(on: Visit, held: Exchange, here: Here, source: Source) -> None:
    """Create order and Task there; both are found again if that was done before."""
    base, client = held.address, on.client
    if source.task["status"] in TERMINAL:
        # it ended before anybody there could see it; an earlier visit may have sent it all the same
        there = await client.find(base, "Task", placer("Task", held.task, on.terms.base)) if held.attempts > 1 else None
        if there is None:
            await nothing_there(on, held, here)
            return
    order = order_to_send(source, on.terms)
    remote_order = None
    if order is not None:
        remote_order = f"ServiceRequest/{_id_of(await client.create(base, order))}"
    there = task_of(await client.create(base, task_to_send(source, remote_order, agreed_state(held.agreed), on.terms)))
    sent = replace(
        held,
        remote_order=remote_order,
        remote_task=f"Task/{there['id']}",
        order_looked=here.order_version,
        state=Stands.GOING_ON,
        trouble=None,
    )
    # what was sent is written down before anything else is tried
    settled = same(state_of(source.task), state_in(there))
    looked, next_at = _looked(on, sent, state_of(source.task), True, on.engine.clock())
    await settle(on.engine, looked, seen=here.version, next_at=next_at if settled else on.engine.clock())


async def _carry_on(on: Visit, held: Exchange, here: Here, source: Source) -> None:
    known_there = (here.version, here.order_version) == (held.looked, held.order_looked)
    assert held.remote_task is not None, "it was sent"
    version = held.remote_version if known_there else None
    newer = await on.client.read_newer(held.address, held.remote_task, version)
    if newer is None:
        await _nothing_new(on, held, here, source)
        return
    if here.order_version != held.order_looked:
        await _send_order(on, held, source)
    there = await _told_of_wishes(on, held, here, source, task_of(newer))
    looked = replace(held, order_looked=here.order_version, looked=here.version)
    await _follow(on, looked, here, source, there, news=there["meta"]["versionId"] != held.remote_version)


async def _send_order(on: Visit, held: Exchange, source: Source) -> None:
    if held.remote_order is not None and source.order is not None:
        there = await on.client.read(held.address, held.remote_order)
        changed = order_with_news(there, source, on.terms)
        if changed != there:
            await on.client.update(held.address, changed)


async def _told_of_wishes(on: Visit, held: Exchange, here: Here, source: Source, there: Resource) -> Resource:
    """Write there what the initiator wants; the Task there afterwards."""
    state = state_of(source.task)
    for _ in range(ROUNDS):
        wanted = wish(agreed_state(held.agreed), state, state_in(there))
        changed = task_with_news(there, source, on.terms, wanted) if wanted or here.version != held.looked else there
        if changed == there:
            break
        try:
            return task_of(await on.client.update(held.address, changed))
        except PartnerTrouble as trouble:
            if trouble.code is not Trouble.CHANGED:
                raise
            now = task_of(await on.client.read(held.address, f"Task/{there['id']}"))
            if now["meta"]["versionId"] == there["meta"]["versionId"]:
                # nobody changed it: the other side's rules are against it
                raise PartnerTrouble(Trouble.REFUSED) from None
            there = now
    return there


async def _follow(on: Visit, held: Exchange, here: Here, source: Source, answered: Resource, *, news: bool) -> None:
    """Write here what the other side says, as whoever is behind the owner."""
    there = heard(answered)
    check(there)
    state = state_in(there)
    way = plan(agreed_state(held.agreed), state_of(source.task), state)
    async with unit_of_work(on.engine, _caller(held, way)) as work:
        stored = await work.load("Task", held.task)
        if stored is None or stored.version != here.version:
            # it changed meanwhile: another visit looks at it as it is now
            if await settle_with(await work.connection(), held, work.now, work.now, seen=here.version):
                await work.commit()
            return
        task, last = source.task, stored
        for version in versions(task, there, way, on.terms):
            last = await work.update(version)
        after = state_of(loads(last.body))
        agreed = str(state) if same(after, state) else held.agreed
        if way.course is Course.WORD:
            await told(work, on.engine, held, loads(last.body), last, Telling.CONFLICT, None)
        news = news or last.version != here.version
        met = replace(
            held,
            agreed=agreed,
            looked=last.version,
            remote_version=there["meta"]["versionId"],
            trouble=Trouble.AHEAD if way.course is Course.AHEAD else None,
        )
        if await settle_with(await work.connection(), *_looked(on, met, after, news, work.now), work.now):
            await work.commit()


async def _nothing_new(on: Visit, held: Exchange, here: Here, source: Source) -> None:
    ahead = held.trouble == Trouble.AHEAD
    calm = replace(held, looked=here.version, trouble=held.trouble if ahead else None)
    looked, next_at = _looked(on, calm, state_of(source.task), False, on.engine.clock())
    await settle(on.engine, looked, seen=here.version, next_at=next_at)


def _looked(on: Visit, held: Exchange, state: State, news: bool, now: datetime) -> tuple[Exchange, datetime | None]:
    """The row after a look, and when the next one is due."""
    looks = 0 if news else held.looks + 1
    ended = state.status in TERMINAL and agreed_state(held.agreed).status == state.status
    next_at = after_look(looks, now, on.delays, ended=ended)
    stands = Stands.ENDED if ended else Stands.GOING_ON
    return replace(held, looks=looks, state=stands, failures=0, failing_since=None), next_at


def _caller(held: Exchange, way: Plan) -> Caller:
    """The owner's own steps are written in the name of whoever is behind them; for both sides, the service speaks."""
    if way.course in (Course.FOLLOWED_FOR_BOTH, Course.WORD):
        return Caller(EXCHANGE, Role.SYSTEM)
    return Caller(EXCHANGE, Role.SYSTEM, None, held.practitioner, held.organization)


def _id_of(resource: Resource) -> str:
    if not isinstance(resource.get("id"), str):
        raise Odd
    return str(resource["id"])


def agreed_state(agreed: str) -> State:
    """The state in the row."""
    return State(*agreed.split())
