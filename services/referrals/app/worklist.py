"""Worklists: the referrals of a list, a page at a time, and how many are on each."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, datetime
from typing import Self

import msgspec

from services.referrals.domain.standing import PRIORITY_CODES, Standing
from services.referrals.domain.worklists import SHAPES, Worklist
from services.referrals.store import worklists
from services.referrals.store.worklists import KEYS, Filter, Key, Listed
from shared.engine import Engine
from shared.errors import Forbidden, Invalid
from shared.fhir.json import loads
from shared.fhir.search import search_bundle
from shared.security.caller import Caller, Role

MOST_ROLES = 100
"""Of one caller, that stand for them in ``mine``."""
_PARTS = 1000
"""Referrals that an export reads at a time."""


@dataclass(frozen=True, slots=True)
class Line:
    """One referral on a list. References are relative; moments are None until they are reached."""

    task: str
    version: int
    status: str
    business_status: str | None
    waits_for: str | None
    since: datetime
    due_at: datetime | None
    overdue: bool
    told: str | None
    """What was told of this wait: reminder, escalation, reroute."""
    returned_at: datetime | None
    discipline: str | None
    priority: str
    patient: str | None
    service_request: str | None
    requester: str | None
    owner: str | None
    sent_at: datetime | None
    acknowledged_at: datetime | None
    accepted_at: datetime | None
    scheduled_at: datetime | None
    seen_at: datetime | None
    reported_at: datetime | None
    closed_at: datetime | None
    ended_at: datetime | None

    @classmethod
    def of(cls, standing: Standing, now: datetime) -> Self:
        """As it stands at ``now``."""
        more = {name: getattr(standing, name) for name in _SAME}
        overdue = standing.due_at is not None and standing.due_at < now
        return cls(task=f"Task/{standing.task}", priority=PRIORITY_CODES[standing.priority], overdue=overdue, **more)


_SAME = [name for name in Line.__slots__ if name not in ("task", "priority", "overdue")]


@dataclass(frozen=True, slots=True)
class Page:
    """Some referrals, and where the next page begins, if there is one."""

    referrals: tuple[Line, ...]
    cursor: str | None


async def worklist(
    engine: Engine, caller: Caller, list: Worklist, wanted: Filter, *, limit: int, cursor: str | None
) -> Page:
    """One page. A patient sees their own only. Raises ``Invalid`` for a cursor of another list."""
    listed = await _listed(engine, caller, list, wanted)
    after = None if cursor is None else _decoded(list, cursor)
    found = await worklists.page(engine.pool, listed, after=after, limit=limit + 1)
    lines = tuple(Line.of(standing, listed.now) for standing in found[:limit])
    more = len(found) > limit
    return Page(lines, _encoded(list, worklists.key_of(found[limit - 1], listed.shape.order)) if more else None)


async def counts(engine: Engine, caller: Caller, wanted: Filter) -> dict[Worklist, int]:
    """How many are on each list of open referrals, but for ``mine``."""
    return await worklists.counts(engine.pool, await _listed(engine, caller, Worklist.OPEN, wanted))


async def lines(engine: Engine, caller: Caller, list: Worklist, wanted: Filter) -> AsyncIterator[Line]:
    """All of a list, read in parts. What changes meanwhile may be left out or come twice."""
    listed = await _listed(engine, caller, list, wanted)
    after: Key | None = None
    while found := await worklists.page(engine.pool, listed, after=after, limit=_PARTS):
        for standing in found:
            yield Line.of(standing, listed.now)
        after = worklists.key_of(found[-1], listed.shape.order)


def require_staff(caller: Caller) -> None:
    """Raises ``Forbidden`` for a patient: figures over all patients are not theirs."""
    if caller.role is Role.PATIENT:
        raise Forbidden("A patient sees their own referrals.")


async def _listed(engine: Engine, caller: Caller, list: Worklist, wanted: Filter) -> Listed:
    only = (caller.fhir_user or "Patient/nobody") if caller.role is Role.PATIENT else None
    personal = SHAPES[list].mine or SHAPES[list].offered
    mine = await _standing_for(engine, caller) if personal else frozenset[str]()
    return Listed(list, wanted, engine.clock(), mine, only)


async def _standing_for(engine: Engine, caller: Caller) -> frozenset[str]:
    """The caller's references, and those of roles and services that stand for them."""
    found = {reference for reference in caller.references if reference}
    asked = []
    if caller.fhir_user:
        asked.append(("PractitionerRole", "practitioner", caller.fhir_user))
    if caller.organization:
        asked.append(("HealthcareService", "organization", caller.organization))
    for type_, parameter, reference in asked:
        parameters = [(parameter, reference), ("_elements", "id"), ("_count", str(MOST_ROLES))]
        access = engine.access(caller)
        bundle = loads(await search_bundle(engine.pool, type_, parameters, base="", strict=True, access=access))
        found.update(f"{type_}/{entry['resource']['id']}" for entry in bundle.get("entry", ()))
    return frozenset(found)


def _encoded(list: Worklist, key: Key) -> str:
    return urlsafe_b64encode(msgspec.json.encode((list.value, key))).decode().rstrip("=")


def _decoded(list: Worklist, cursor: str) -> Key:
    kinds = {"timestamptz": datetime, "smallint": int, "text": str}
    try:
        name, values = msgspec.json.decode(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        wanted = [kinds[cast] for _, cast in KEYS[SHAPES[list].order]]
        if name != list.value or len(values) != len(wanted):
            raise ValueError("another list")
        key: Key = tuple(msgspec.convert(value, type_) for value, type_ in zip(values, wanted, strict=True))
        if any(not _could_be(value) for value in key):
            raise ValueError("no key of ours")
        return key
    except (ValueError, TypeError, binascii.Error, msgspec.MsgspecError):
        where = ("query.cursor",)
        raise Invalid("The cursor is not one of this list.", code="value", expression=where) from None


def _could_be(value: int | datetime | str) -> bool:
    """Whether the database has such values: it knows no NUL, and no moment without a zone is one of ours; at either end
    of the calendar, one with a zone may have no moment in UTC."""
    if isinstance(value, int):
        return value in PRIORITY_CODES
    if isinstance(value, str):
        return "\x00" not in value
    return value.tzinfo is not None and MINYEAR < value.year < MAXYEAR
