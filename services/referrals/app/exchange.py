"""Carry referrals on with other systems: take what is due, visit the other side, write down how that went."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

from services.referrals.app.exchange_here import Visit
from services.referrals.app.exchange_settling import VISITS, troubled
from services.referrals.app.exchange_visit import visit
from services.referrals.domain.exchange_news import Odd
from services.referrals.domain.exchange_pace import Delays, Trouble
from services.referrals.partners.client import PartnerClient
from services.referrals.partners.trouble import PartnerTrouble
from services.referrals.store import exchanges
from services.referrals.store.exchanges import LEASE, Exchange
from shared.engine import Engine
from shared.errors import ConsiliumError, Unavailable
from shared.ids import uuid7
from shared.telemetry.propagation import working


@dataclass(frozen=True, slots=True)
class Pace:
    """How the loop works; ``look`` (seconds) is the longest wait between two looks at what is due."""

    concurrency: int = 8
    look: float = 2.0
    lease: timedelta = LEASE
    """How long a visit has its referral in hand; after half of that it is given up, however slow the other side is."""
    delays: Delays = field(default_factory=Delays)


async def take_due(engine: Engine, *, limit: int, lease: timedelta = LEASE) -> list[Exchange]:
    """Up to ``limit`` exchanges that are due, for this worker to visit."""
    return await exchanges.claim(engine.pool, uuid7(), limit=limit, now=engine.clock(), lease=lease)


async def visit_other_side(engine: Engine, held: Exchange, client: PartnerClient, base: str, pace: Pace) -> None:
    """One visit, from the other side to the row; ``base`` is our own."""
    with working("referrals exchange visit") as span:
        trouble = await _try(engine, held, client, base, pace)
        span.set_attribute("consilium.verdict", "ok" if trouble is None else trouble.value)
        if trouble is None:
            VISITS.add("ok")
        else:
            await troubled(engine, held, trouble, pace.delays)


async def _try(engine: Engine, held: Exchange, client: PartnerClient, base: str, pace: Pace) -> Trouble | None:
    try:
        terms = client.partner(held.address).terms(base, held.address)
        async with asyncio.timeout(pace.lease.total_seconds() / 2):
            await visit(Visit(engine, client, terms, pace.delays), held)
    except PartnerTrouble as error:
        return error.code
    except TimeoutError:
        return Trouble.TIMEOUT
    except (Odd, RecursionError):
        return Trouble.NOT_FHIR
    except Unavailable:
        raise
    except ConsiliumError:
        return Trouble.NOT_VALID
    return None
