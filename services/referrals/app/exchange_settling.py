"""How a visit to the other side left an exchange: written down, told where people must hear of it, counted."""

import logging
from dataclasses import replace
from datetime import datetime

from services.referrals.domain.events import ExchangeTold, Telling
from services.referrals.domain.exchange_news import EXCHANGE
from services.referrals.domain.exchange_pace import Delays, Trouble, after_trouble
from services.referrals.domain.references import target
from services.referrals.domain.states import state_of
from services.referrals.store import exchanges, referrals
from services.referrals.store.exchanges import Exchange, Stands
from services.referrals.store.moments import Moment
from shared.engine import Engine
from shared.fhir.json import Resource, loads
from shared.security.caller import Caller, Role
from shared.store.database import Connection
from shared.store.resources import Stored
from shared.telemetry.instruments import counts
from shared.unit_of_work import UnitOfWork, unit_of_work

log = logging.getLogger(__name__)

TOLD = counts("consilium.referral.exchange.told", "What people must hear of exchanges with other systems.", "what")
"""``what``: exchange-given-up, exchange-conflict."""
VISITS = counts("consilium.referral.exchange.visits", "Visits to other systems.", "outcome")
"""``outcome``: ok, or a trouble's code."""

ME = Caller(EXCHANGE, Role.SYSTEM)
for _what in Telling:
    TOLD.expect(_what.value)


async def settle(engine: Engine, held: Exchange, *, seen: int, next_at: datetime | None) -> None:
    """Write down how a visit left it."""
    await exchanges.settle(engine.pool, held, seen=seen, now=engine.clock(), next_at=next_at)


async def settle_with(
    connection: Connection, held: Exchange, next_at: datetime | None, now: datetime, *, seen: int | None = None
) -> bool:
    """As ``settle``, in the transaction that writes the news. False: another visit has it in hand by now."""
    seen = held.looked if seen is None else seen
    return await exchanges.settle(connection, held, seen=seen, now=now, next_at=next_at)


async def troubled(engine: Engine, held: Exchange, trouble: Trouble, delays: Delays) -> None:
    """A visit failed: when it is made again, or that it is given up, which people hear."""
    VISITS.add(trouble.value)
    async with unit_of_work(engine, ME) as work:
        connection = await work.connection()
        failing = replace(
            held, failures=held.failures + 1, failing_since=held.failing_since or work.now, trouble=trouble
        )
        assert failing.failing_since is not None, "it fails since now, at least"
        next_at = after_trouble(
            trouble,
            failing.failures,
            failing.failing_since,
            work.now,
            delays,
            stored_there=held.remote_task is not None,
        )
        if next_at is None:
            failing = replace(failing, state=Stands.GIVEN_UP)
        # the Task is locked before the row, as by whoever changes it
        stored = await work.load("Task", held.task) if next_at is None else None
        if not await exchanges.settle(connection, failing, seen=held.version, now=work.now, next_at=next_at):
            return
        if stored is not None and not stored.deleted:
            await told(work, engine, held, loads(stored.body), stored, Telling.GIVEN_UP, trouble)
        await work.commit()
    level = logging.WARNING if next_at is None else logging.INFO
    log.log(level, "an exchange with a partner: %s, failure %d", trouble.value, failing.failures)


async def told(
    work: UnitOfWork,
    engine: Engine,
    held: Exchange,
    task: Resource,
    stored: Stored,
    what: Telling,
    trouble: Trouble | None,
) -> None:
    """Put it into the outbox and the timeline, in the transaction of ``work``."""
    state = state_of(task)
    fact = ExchangeTold(
        what,
        None if trouble is None else trouble.value,
        held.endpoint,
        state,
        work.now,
        target(task.get("focus")),
        target(task.get("for")),
        target(task.get("requester")),
        target(task.get("owner")),
    )
    for type_, subject, payload in engine.outgoing(fact, stored, work.caller):
        work.record(type_, subject, payload)
    moment = Moment(
        *(held.task, stored.version, work.now, what.value, state.status, state.business),
        *(None if trouble is None else trouble.value, target(task.get("owner")), ME.subject, ME.role),
    )
    await referrals.keep(await work.connection(), [], [moment])
    TOLD.add(what.value)
