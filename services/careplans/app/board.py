"""The board of all shared plans, and its lists: reviews that are due, gaps, stale sections, flags."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import Counter
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta

import msgspec

from services.careplans.domain.board import Listing, gaps_at, is_open_issue
from services.careplans.domain.standing import Standing, stale_after
from services.careplans.store import boards
from services.careplans.store.boards import Filter, Key, Listed
from shared.engine import Engine
from shared.errors import Forbidden, Invalid
from shared.fhir.json import loads
from shared.fhir.search.access import condition
from shared.fhir.search.parameters import parameters_of
from shared.security.caller import Caller, Role

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Stale:
    """A section that was not touched for too long: ``goals``, ``team``, or ``activities:`` and a discipline."""

    section: str
    touched: datetime
    days: int


@dataclass(frozen=True, slots=True)
class BoardLine:
    """One plan. References are relative. ``gaps`` and ``flags`` are codes; some name a discipline or a measure behind a
    colon (``no-activity:mental-health``, ``step-up:phq-9``)."""

    care_plan: str
    version: int
    patient: str
    status: str
    disciplines: tuple[str, ...]
    members: tuple[str, ...]
    open_activities: int
    activities: int
    goals: int
    gaps: tuple[str, ...]
    stale: tuple[Stale, ...]
    flags: tuple[str, ...]
    open_issues: int
    """DetectedIssues of the patient of which nobody has said what was done."""
    last_contact_at: datetime | None
    """When the patient's last Encounter began, or the day of the last visit in the ledger of minutes."""
    last_score_at: datetime | None
    last_review_at: datetime | None
    next_review_at: datetime
    review_overdue: bool


@dataclass(frozen=True, slots=True)
class BoardPage:
    """Some plans, and where the next page begins, if there is one."""

    plans: tuple[BoardLine, ...]
    cursor: str | None


async def board(
    engine: Engine, caller: Caller, list: Listing, wanted: Filter, *, limit: int, cursor: str | None
) -> BoardPage:
    """One page. Raises ``Forbidden`` for patients, ``Invalid`` for a cursor of another list."""
    listed = _listed(engine, caller, list, wanted)
    after = None if cursor is None else _decoded(list, cursor)
    found = await boards.page(engine.pool, listed, after=after, limit=limit + 1)
    lines = await _lines(engine, caller, found[:limit], listed.now)
    more = len(found) > limit
    return BoardPage(lines, _encoded(list, boards.key_of(found[limit - 1], listed)) if more else None)


async def counts(engine: Engine, caller: Caller, wanted: Filter) -> dict[Listing, int]:
    """How many plans are on each list. Raises ``Forbidden`` for patients."""
    return await boards.counts(engine.pool, _listed(engine, caller, Listing.BOARD, wanted))


def require_staff(caller: Caller) -> None:
    """Raises ``Forbidden`` for a patient: what is about all patients is not theirs."""
    if caller.role is Role.PATIENT:
        raise Forbidden("A patient sees their own plan.")


def _listed(engine: Engine, caller: Caller, list: Listing, wanted: Filter) -> Listed:
    require_staff(caller)
    return Listed(list, wanted, engine.clock(), condition(engine.access(caller), {"CarePlan"}))


async def _lines(engine: Engine, caller: Caller, standings: list[Standing], now: datetime) -> tuple[BoardLine, ...]:
    patients = {patient_id(standing) for standing in standings}
    if not patients:
        return ()
    date = parameters_of("Encounter")["date"].key
    until = (now - _EPOCH) // timedelta(microseconds=1)
    access = engine.access(caller)
    contacts = await boards.contacts(engine.pool, patients, date, until, condition(access, {"Encounter"}))
    visits = await boards.visits(engine.pool, [standing.care_plan for standing in standings])
    found = await boards.issues(engine.pool, patients, condition(access, {"DetectedIssue"}))
    issues = Counter(patient for patient, body in found if is_open_issue(loads(body)))
    return tuple(
        _line(standing, _contact(contacts.get(patient_id(standing)), visits.get(standing.care_plan)), issues, now)
        for standing in standings
    )


def patient_id(standing: Standing) -> str:
    """The id of the plan's patient."""
    return standing.patient.removeprefix("Patient/")


def _contact(encounter: int | None, visit: date | None) -> datetime | None:
    known = [] if encounter is None else [_EPOCH + timedelta(microseconds=encounter)]
    known += [] if visit is None else [datetime.combine(visit, time.min, UTC)]
    return max(known, default=None)


def _line(standing: Standing, contact: datetime | None, issues: Counter[str], now: datetime) -> BoardLine:
    stale = ((name, at) for name, at in standing.sections.items() if at + stale_after(name) <= now)
    return BoardLine(
        care_plan=f"CarePlan/{standing.care_plan}",
        gaps=gaps_at(standing, now),
        stale=tuple(Stale(name, at, (now - at).days) for name, at in stale),
        open_issues=issues[patient_id(standing)],
        last_contact_at=contact,
        review_overdue=standing.next_review_at <= now,
        **{name: getattr(standing, name) for name in _SAME},
    )


_OWN = {"care_plan", "gaps", "stale", "open_issues", "last_contact_at", "review_overdue"}
_SAME = [name for name in BoardLine.__slots__ if name not in _OWN]


def _encoded(list: Listing, key: Key) -> str:
    return urlsafe_b64encode(msgspec.json.encode((list.value, *key))).decode().rstrip("=")


def _decoded(list: Listing, cursor: str) -> Key:
    try:
        said = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        name, at, plan = msgspec.json.decode(said, type=tuple[str, datetime, str])
        if name != list.value or at.tzinfo is None or not MINYEAR < at.year < MAXYEAR or "\x00" in plan:
            raise ValueError("of another list")
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        raise Invalid("The cursor is not one of this list.", code="value", expression=("query.cursor",)) from None
    return at, plan
