"""The directory as candidates: services and roles, what they refer to, their waits, their capacity and free slots."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from services.referrals.app.reading import all_of, chunks, read_all
from services.referrals.app.slots import free_slots
from services.referrals.domain.candidate import Candidate, Load
from services.referrals.domain.offering import OFFERING, Offering, offering_of, related_to
from services.referrals.domain.references import target
from services.referrals.domain.specialty import Specialty, codes_of, disciplines
from services.referrals.domain.waiting import WINDOW, Observed, estimate
from services.referrals.store import waiting
from services.referrals.store.waiting import Asked
from shared.engine import Engine
from shared.fhir.json import Resource
from shared.fhir.search.access import Access
from shared.fhir.search.filters import Terms
from shared.fhir.search.parse import parse
from shared.fhir.search.query import LARGEST_COUNT, Cursor, Query

_CODED: Mapping[str, tuple[str, ...]] = {
    "HealthcareService": ("specialty", "service-type", "service-category"),
    "PractitionerRole": ("specialty", "role"),
}
"""The search parameters over the elements that say what something is for."""
_ROUNDS = 2
"""What a role refers to, and what its services do."""


def query_of(type_: str, wanted: frozenset[Specialty], now: datetime, *, count: int, cursor: Cursor | None) -> Query:
    """The search for the services or roles of ``type_`` that are for one of ``wanted`` by their codes; none is all."""
    terms: dict[int, None] = {}
    codes = ",".join(f"{system}|{code}" for system, code in codes_of(wanted))
    for name in _CODED[type_] if wanted else ():
        for test in parse(type_, [(name, codes)], now=now).filters:
            terms |= dict.fromkeys(test.any_of if isinstance(test, Terms) else ())
    # one set of keys over all parameters: FHIR's search has no OR between them, its index has
    filters = (Terms(tuple(terms)),) if wanted else ()
    return Query(type_, filters, count=count, cursor=cursor, now=now)


async def offerings(engine: Engine, access: Access, wanted: frozenset[Specialty]) -> list[Offering]:
    """All services and roles that the caller may see, for one of ``wanted``; a role also by what its services are for.

    Also those that are not active: who asks is told why they are not among the matches."""
    found: list[Resource] = []
    for type_ in OFFERING:
        query = query_of(type_, wanted, engine.clock(), count=LARGEST_COUNT, cursor=None)
        found += (await all_of(engine, access, query))[0]
    known = {each["id"] for each in found if each["resourceType"] == "PractitionerRole"}
    services = [each for each in found if each["resourceType"] == "HealthcareService"]
    found += [each for each in await roles_in(engine, access, services) if each["id"] not in known]
    return await understood(engine, access, found)


async def roles_in(engine: Engine, access: Access, services: Iterable[Resource]) -> list[Resource]:
    """The roles in ``services``."""
    found: dict[str, Resource] = {}
    for some in chunks([f"HealthcareService/{each['id']}" for each in services]):
        query = parse("PractitionerRole", [("service", ",".join(some)), ("_count", "1000")], now=engine.clock())
        found |= {each["id"]: each for each in (await all_of(engine, access, query))[0]}
    return list(found.values())


async def understood(engine: Engine, access: Access, found: Sequence[Resource]) -> list[Offering]:
    """What ``found`` offer, with what they refer to and the caller may see."""
    known = {f"{each['resourceType']}/{each['id']}": each for each in found}
    level: Iterable[Resource] = found
    for _ in range(_ROUNDS):
        read = await read_all(engine, access, {one for each in level for one in related_to(each)} - known.keys())
        known |= read
        level = list(read.values())
    return [offering_of(each, known) for each in found]


def roles_by_service(roles: Iterable[tuple[str, Iterable[str]]]) -> dict[str, list[str]]:
    """By service, the roles in it, of roles with their services."""
    found: dict[str, list[str]] = {}
    for role, services in roles:
        for service in services:
            found.setdefault(service, []).append(role)
    return found


def services_of(role: Resource) -> tuple[str, Iterable[str]]:
    """A PractitionerRole's reference, with its services."""
    named = (target(each) for each in role.get("healthcareService") or ())
    return f"PractitionerRole/{role['id']}", [each for each in named if each]


async def candidates(
    engine: Engine, access: Access, found: Sequence[Offering], roles: Mapping[str, Iterable[str]]
) -> list[Candidate]:
    """``found`` with their waits, what they took on this week, and their free slots; ``roles`` by their services."""
    now = engine.clock()
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    monday = today - timedelta(days=today.weekday())
    asked = {each for offering in found for each in _counted(offering, roles.get(offering.reference, ()))}
    counted = await waiting.observed(engine.pool, asked, since=now - WINDOW, week=monday, now=now)
    slots = await free_slots(engine, access, found)
    made = []
    for offering in found:
        own, free = counted.get(offering.reference, Observed()), slots.get(offering.reference)
        load = Load(own.accepted_this_week) if free is None else Load(own.accepted_this_week, free.count, free.first)
        made.append(Candidate(offering, estimate(own, counted.get(_organization(offering))), load))
    return made


def _counted(offering: Offering, roles: Iterable[str]) -> Iterable[Asked]:
    """Whose referrals count for it: its own, for a service those of its roles, for a role its practitioner's; and those
    that its organization was sent in the same disciplines."""
    for owner in (offering.reference, *roles):
        yield Asked(offering.reference, owner)
    named: list[str | None] = [*sorted(disciplines(offering.specialties))]
    for discipline in named or [None]:
        if offering.practitioner:
            yield Asked(offering.reference, offering.practitioner, discipline)
        if offering.organization:
            yield Asked(_organization(offering), offering.organization, discipline)


def _organization(offering: Offering) -> str:
    """The key of its organization's cases in its disciplines."""
    return " ".join((offering.organization or "", *sorted(disciplines(offering.specialties))))
