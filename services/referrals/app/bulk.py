"""One action on many referrals: each is a transaction of its own, and what becomes of one is nothing to the others."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.referrals.app.commands import Asked, Precondition, take
from services.referrals.app.once import Outcome, once
from services.referrals.store import keys, referrals
from services.referrals.store.keys import Claim
from shared.engine import Engine
from shared.errors import ConsiliumError, Unavailable
from shared.security.caller import Caller
from shared.store.losses import is_loss
from shared.store.resources import Stored
from shared.telemetry.failures import class_of
from shared.unit_of_work import UnitOfWork

log = logging.getLogger(__name__)

AT_ONCE = 4
"""Items of one request that are under way together: others need connections, too."""


@dataclass(frozen=True, slots=True)
class Item:
    """A referral (the id of its Task), and what must hold of it."""

    task: str
    precondition: Precondition


async def perform_all(
    engine: Engine, caller: Caller, asked: Asked, items: Sequence[Item], claim: Claim | None
) -> list[Outcome | ConsiliumError]:
    """What became of each of ``items``, in their order: the refused ones with the reason.

    Raises ``Unprocessable`` where the key of ``claim`` was another request's. An error that nobody foresaw is raised
    when all are done."""
    done = {} if claim is None else await keys.known(engine.pool, claim)
    room = asyncio.Semaphore(AT_ONCE)

    async def performed(number: int, item: Item) -> Outcome:
        if number in done:
            return Outcome(done[number])

        async def effect(work: UnitOfWork) -> Stored:
            return await take(work, item.task, asked, item.precondition)

        async with room:
            return await once(engine, caller, None if claim is None else replace(claim, item=number), effect)

    tried = await asyncio.gather(*(performed(*each) for each in enumerate(items)), return_exceptions=True)
    return await _as_they_stand(engine, [_told(each) for each in tried])


def _told(tried: Outcome | BaseException) -> Outcome | ConsiliumError:
    if isinstance(tried, (Outcome, ConsiliumError)):
        return tried
    if is_loss(tried):
        log.warning("an item of a bulk request lost its database: %s", class_of(tried))
        return Unavailable("The database does not answer now; try again.")
    raise tried


async def _as_they_stand(engine: Engine, told: list[Outcome | ConsiliumError]) -> list[Outcome | ConsiliumError]:
    """What was done before is told in the version of now, from which one goes on."""
    before = [each.led.task for each in told if isinstance(each, Outcome) and each.replayed]
    now = await referrals.read(engine.pool, before) if before else {}
    return [
        replace(each, led=replace(each.led, version=now[each.led.task].version))
        if isinstance(each, Outcome) and each.replayed and each.led.task in now
        else each
        for each in told
    ]
