"""The directory, a page at a time: what each service offers, how long one waits, and how full it is."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, replace

from services.referrals.app.listing import candidates, query_of, roles_by_service, roles_in, services_of, understood
from services.referrals.domain.candidate import Candidate
from services.referrals.domain.languages import shared
from services.referrals.domain.offering import OFFERING, Modality, Offering
from services.referrals.domain.specialty import Specialty
from shared.engine import Engine
from shared.errors import Invalid
from shared.fhir.json import Resource, loads
from shared.fhir.search import cursor as cursors
from shared.fhir.search.page import find
from shared.security.caller import Caller

_MOST_ROUNDS = 10
"""Pages of the store that one page of the directory reads, where few pass the filters that the index does not know."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which services; None or empty is any."""

    specialties: frozenset[Specialty] = frozenset()
    modality: Modality | None = None
    language: str | None = None
    inactive: bool = False
    """Those that are not active, too."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Some of the services, and where the next page begins, if there is one."""

    services: tuple[Candidate, ...]
    cursor: str | None


async def directory(engine: Engine, caller: Caller, wanted: Wanted, *, limit: int, cursor: str | None) -> Listed:
    """One page: services first, then roles, each in the order in which they came.

    It may be shorter than ``limit`` where few of many pass. Raises ``Invalid`` for a cursor of another list."""
    access = engine.access(caller)
    place = _decoded(cursor)
    found: list[Resource] = []
    offered: list[Offering] = []
    for _ in range(_MOST_ROUNDS):
        type_, after = place
        query = query_of(type_, wanted.specialties, engine.clock(), count=limit - len(offered), cursor=None)
        query = replace(query, cursor=None if after is None else cursors.decode(query.sort, after))
        page = await find(engine.pool, query, access)
        read = [loads(stored.body) for stored in page.matches]
        understood_ = await understood(engine, access, read)
        passed = [
            (each, offer) for each, offer in zip(read, understood_, strict=True) if _passes(offer, wanted, engine)
        ]
        found += [each for each, _ in passed]
        offered += [offer for _, offer in passed]
        following = _following(type_, None if page.next is None else cursors.encode(query.sort, page.next))
        if following is None or len(offered) == limit:
            break
        place = following
    services = [each for each in found if each["resourceType"] == "HealthcareService"]
    roles = roles_by_service(map(services_of, await roles_in(engine, access, services)))
    listed = await candidates(engine, access, offered, roles)
    return Listed(tuple(listed), None if following is None else _encoded(*following))


def _passes(offering: Offering, wanted: Wanted, engine: Engine) -> bool:
    return (
        (wanted.inactive or offering.held_on(engine.clock().date()))
        and (wanted.modality is None or wanted.modality in offering.modalities)
        and (wanted.language is None or shared(offering.languages, (wanted.language,)) is not None)
    )


def _following(type_: str, after: str | None) -> tuple[str, str | None] | None:
    """Where to go on: in the same type, at the beginning of the next, or nowhere."""
    if after is not None:
        return type_, after
    later = OFFERING[OFFERING.index(type_) + 1 :]
    return (later[0], None) if later else None


def _encoded(type_: str, after: str | None) -> str:
    return urlsafe_b64encode(f"{type_} {after or ''}".encode()).decode().rstrip("=")


def _decoded(token: str | None) -> tuple[str, str | None]:
    if token is None:
        return OFFERING[0], None
    try:
        type_, _, after = urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode().partition(" ")
    except (ValueError, binascii.Error):
        type_, after = "", ""
    if type_ not in OFFERING:
        raise Invalid("The page token is not one of this list.", code="value")
    return type_, after or None
