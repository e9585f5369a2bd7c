"""Waits of the directory, read from the referrals' service now and then: nobody who applies a plan waits for that."""

from datetime import timedelta
from math import ceil
from typing import Any

from services.careplans.domain.applying.circumstances import WAITS
from services.careplans.store import waits
from shared.engine import Engine
from shared.fhir.json import Resource, loads

OWNER, OPERATION = "referrals", "HealthcareService/$waits"
EVERY = timedelta(minutes=15)
"""How old the answer may become."""


async def bring_in_waits(engine: Engine) -> timedelta:
    """Ask anew where the answer is old; how long until that is due again. Any number of workers may do so.

    Raises ``Unavailable`` where the referrals' service does not answer."""
    now = engine.clock()
    last = await waits.told_at(engine.pool)
    if last is not None and now - last < EVERY:
        return EVERY - (now - last)
    assert engine.peers is not None, "a worker knows its peers"
    body = await engine.peers.get(OWNER, OPERATION)
    if body is not None:
        await waits.keep(engine.pool, waits_in(loads(body)), now)
    return EVERY


def waits_in(told: Resource) -> dict[str, int | None]:
    """Days by discipline in the Parameters that the operation answers, rounded up."""
    found: dict[str, int | None] = {}
    for wait in told.get("parameter") or ():
        parts: dict[str, Any] = {part["name"]: next(v for k, v in part.items() if k != "name") for part in wait["part"]}
        if parts["discipline"] in WAITS:
            found[parts["discipline"]] = ceil(parts["days"]) if "days" in parts else None
    return found
