"""The free slots of services, from their schedules (http://hl7.org/fhir/R4/slot.html)."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.referrals.app.reading import all_of, chunks
from services.referrals.domain.candidate import SLOT_WEEKS
from services.referrals.domain.extensions import listed
from services.referrals.domain.offering import Offering
from services.referrals.domain.references import target
from shared.engine import Engine
from shared.fhir.json import Resource
from shared.fhir.search.access import Access
from shared.fhir.search.parse import parse

_MOST_PAGES = 5
"""Of free slots, soonest first. Whose slots would come later is not known to have none."""


@dataclass(frozen=True, slots=True)
class Free:
    """How many free slots are known, and when the first begins."""

    count: int
    first: datetime | None


async def free_slots(engine: Engine, access: Access, found: Sequence[Offering]) -> dict[str, Free]:
    """By service, its free slots of the next weeks; those of which nothing is known are missing."""
    now = engine.clock()
    actors: dict[str, set[str]] = {}
    for offering in found:
        for actor in filter(None, (offering.reference, offering.practitioner)):
            actors.setdefault(actor, set()).add(offering.reference)
    known: dict[str, Free] = {}
    for some in chunks(sorted(actors)):
        query = parse("Schedule", [("actor", ",".join(some)), ("_count", "1000")], now=now)
        schedules, _ = await all_of(engine, access, query)
        of = {f"Schedule/{each['id']}": _served(each, actors) for each in schedules}
        if of:
            known |= _counted(of, *await _free(engine, access, of, now))
    return known


async def _free(engine: Engine, access: Access, schedules: Iterable[str], now: datetime) -> tuple[list[Resource], bool]:
    window = (("ge", now), ("lt", now + timedelta(weeks=SLOT_WEEKS)))
    parameters = [("schedule", ",".join(schedules)), ("status", "free"), ("_sort", "start"), ("_count", "1000")]
    parameters += [("start", f"{prefix}{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}") for prefix, moment in window]
    return await all_of(engine, access, parse("Slot", parameters, now=now), most=_MOST_PAGES)


def _counted(of: Mapping[str, set[str]], slots: Iterable[Resource], complete: bool) -> dict[str, Free]:
    begin: dict[str, list[datetime]] = {each: [] for served in of.values() for each in served}
    for slot in slots:
        for reference in of.get(target(slot.get("schedule")) or "", ()):
            begin[reference].append(_start(slot))
    return {each: Free(len(starts), min(starts, default=None)) for each, starts in begin.items() if starts or complete}


def _start(slot: Resource) -> datetime:
    # FHIR has leap seconds, Python does not
    return datetime.fromisoformat(re.sub(r":60(?=[.Z+-])", ":59", slot["start"]))


def _served(schedule: Resource, actors: Mapping[str, set[str]]) -> set[str]:
    if schedule.get("active") is False:
        return set()
    found = (target(each) for each in listed(schedule, "actor"))
    return {served for actor in found if actor for served in actors.get(actor, ())}
