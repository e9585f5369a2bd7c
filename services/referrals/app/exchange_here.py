"""How a referral stands here, and what a visit to the other side of it works with."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.referrals.domain.exchange_pace import Delays
from services.referrals.domain.exchange_package import Source, Terms, needed
from services.referrals.domain.references import target
from services.referrals.partners.client import PartnerClient
from shared.engine import Engine
from shared.fhir.json import loads
from shared.store import resources


@dataclass(frozen=True, slots=True)
class Here:
    """A referral as it stands here; versions are 0 for what is not there."""

    source: Source | None
    version: int
    order_version: int


@dataclass(frozen=True, slots=True)
class Visit:
    """What a visit works with."""

    engine: Engine
    client: PartnerClient
    terms: Terms
    delays: Delays


async def look_here(engine: Engine, task_id: str) -> Here:
    """The Task, its order, and whom they name."""
    stored = await _read(engine, [f"Task/{task_id}"])
    if not stored or stored[0].deleted:
        return Here(None, stored[0].version if stored else 0, 0)
    task = loads(stored[0].body)
    focus = target(task.get("focus"))
    orders = [one for one in await _read(engine, [focus] if focus else []) if not one.deleted]
    order = loads(orders[0].body) if orders else None
    known = {f"{one.type}/{one.id}": loads(one.body) for one in await _read(engine, needed(task, order))}
    return Here(Source(task, order, known), stored[0].version, orders[0].version if orders else 0)


async def _read(engine: Engine, references: Iterable[str]) -> list[resources.Stored]:
    keys = [(type_, id_) for type_, _, id_ in (reference.partition("/") for reference in sorted(references))]
    return await resources.read_many(engine.pool, keys) if keys else []
