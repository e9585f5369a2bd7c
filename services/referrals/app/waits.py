"""How long one waits for each discipline: at the service where the wait is shortest, of those that take people."""

from dataclasses import dataclass

from services.referrals.app.listing import candidates, offerings, roles_by_service
from services.referrals.domain.specialty import OF_DISCIPLINE
from shared.engine import Engine
from shared.security.caller import Caller, Discipline


@dataclass(frozen=True, slots=True)
class ShortestWait:
    """``days`` is the median from acceptance to the first visit where that is shortest, from ``cases`` visits; None
    where no service has enough of them."""

    discipline: Discipline
    services: int
    days: float | None
    cases: int


async def shortest_waits(engine: Engine, caller: Caller) -> list[ShortestWait]:
    """One for each discipline, over the services and roles that the caller may see and that are there today."""
    return [await _shortest(engine, caller, discipline) for discipline in Discipline]


async def _shortest(engine: Engine, caller: Caller, discipline: Discipline) -> ShortestWait:
    access, today = engine.access(caller), engine.clock().date()
    found = [each for each in await offerings(engine, access, OF_DISCIPLINE[discipline]) if each.held_on(today)]
    roles = roles_by_service((each.reference, each.part_of) for each in found if each.part_of)
    listed = [each for each in await candidates(engine, access, found, roles) if each.has_room is not False]
    known = [(each.waiting.median_days, each.waiting.cases) for each in listed if each.waiting.median_days is not None]
    days, cases = min(known, default=(None, 0))
    return ShortestWait(discipline, len(listed), days, cases)
