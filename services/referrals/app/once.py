"""A change that happens once, however often it is asked for under one key (docs/adr/0027-idempotency-keys.md)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from services.referrals.store import keys
from services.referrals.store.keys import Claim, Led
from shared.engine import Engine
from shared.security.caller import Caller
from shared.store.resources import Stored
from shared.unit_of_work import UnitOfWork, unit_of_work

Effect = Callable[[UnitOfWork], Awaitable[Stored]]
"""What is to be done, without the commit: the Task that it leads to."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What it led to, now or, where it is ``replayed``, before."""

    led: Led
    stored: Stored | None = None
    """What came of it, where that was now."""

    @property
    def replayed(self) -> bool:
        """Whether it was done before."""
        return self.stored is None


async def once(engine: Engine, caller: Caller, claim: Claim | None, effect: Effect, *, status: int = 200) -> Outcome:
    """Do it and commit, unless ``claim`` was settled before. The key, and what is done, are one transaction.

    Raises what ``effect`` and the commit raise, and then the key is free; ``Unprocessable`` for another's key."""
    async with unit_of_work(engine, caller) as work:
        if claim is None:
            stored = await effect(work)
            led = Led(stored.id, stored.version, status)
        else:
            # before anything else is locked: who comes with the same key waits here, and holds up nobody
            earlier = await keys.claimed(await work.connection(), claim, work.now)
            if earlier is not None:
                return Outcome(earlier)
            stored = await effect(work)
            led = Led(stored.id, stored.version, status)
            await keys.settle(await work.connection(), claim, led)
        await work.commit()
    return Outcome(led, stored)
