"""The evidence of G3002 and G3003 for a month: of one plan, or of all, a page at a time."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from services.careplans.app.board import require_staff
from services.careplans.app.queries import require_view
from services.careplans.domain.codes import is_shared_plan, reference_of
from services.careplans.domain.evidence import PAIN_SCALES, SOURCE, Evidence, Judged, Material, judge
from services.careplans.domain.minutes import Entry, Kind
from services.careplans.store import evidence as store
from services.careplans.store import minutes as ledger
from services.careplans.store import plan_standings
from shared.engine import Engine
from shared.errors import Invalid, Unprocessable
from shared.fhir.json import Resource, loads
from shared.fhir.search.access import condition
from shared.reading import current
from shared.security.caller import Caller

NOTE = "Evidence for people who bill. It is no claim: what is necessary or appropriate is theirs to judge."
_CURSOR = re.compile(r"[A-Za-z0-9\-.]{1,64}").fullmatch


@dataclass(frozen=True, slots=True)
class ElementFound:
    """One element of the codes: whether it is there, what shows it, and what it lacks.

    ``shown_by`` are references, or ``minutes/`` and the id of an entry of the ledger."""

    element: str
    says: str
    needed: bool
    state: str
    shown_by: tuple[str, ...]
    lacks: str | None


@dataclass(frozen=True, slots=True)
class Month:
    """A plan's month. Only ``qualified_minutes`` count for the codes."""

    care_plan: str
    patient: str | None
    month: str
    minutes: int
    qualified_minutes: int
    g3002: bool
    """Every needed element is there, and 30 minutes."""
    g3003_units: int
    """Whole quarters of an hour beyond 30 minutes; they count only beside G3002."""
    minutes_to_next: int
    missing: tuple[str, ...]
    elements: tuple[ElementFound, ...]
    source: str
    note: str


@dataclass(frozen=True, slots=True)
class MonthPage:
    """The month of some plans, and where the next page begins, if there is one."""

    months: tuple[Month, ...]
    cursor: str | None


async def evidence_of(engine: Engine, caller: Caller, plan_id: str, month: str) -> Month:
    """One plan's month (``YYYY-MM``). Raises ``NotFound`` or ``Gone``, ``Forbidden`` for patients."""
    require_staff(caller)
    stored = await current(engine, caller, "CarePlan", plan_id)
    plan: Resource = loads(stored.body)
    patient = reference_of(plan.get("subject"))
    require_view(caller, patient)
    if not is_shared_plan(plan) or patient is None:
        raise Unprocessable("Evidence is kept for shared plans.", expression=("path.plan_id",))
    [found] = await _months(engine, caller, [(plan_id, patient)], month)
    return found


async def evidence_of_all(engine: Engine, caller: Caller, month: str, *, limit: int, cursor: str | None) -> MonthPage:
    """The month of all shared plans that have not ended, or have minutes in it, by id.

    Raises ``Forbidden`` for patients."""
    require_staff(caller)
    if cursor is not None and not _CURSOR(cursor):
        raise Invalid("The cursor is not one of this list.", code="value", expression=("query.cursor",))
    plans = await store.plans_after(engine.pool, cursor or "", limit + 1, *days_of(month))
    months = await _months(engine, caller, plans[:limit], month)
    return MonthPage(tuple(months), plans[limit - 1][0] if len(plans) > limit else None)


def days_of(month: str) -> tuple[date, date]:
    """The first and the last day of ``YYYY-MM``."""
    first = date.fromisoformat(f"{month}-01")
    return first, (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)


async def _months(engine: Engine, caller: Caller, plans: Sequence[tuple[str, str]], month: str) -> list[Month]:
    """The months of ``plans`` (id, patient) that the caller may see, in their order."""
    if not plans:
        return []
    first, last = days_of(month)
    patients = sorted({patient for _, patient in plans})
    ids = [patient.removeprefix("Patient/") for patient in patients]
    found = await plan_standings.surroundings(engine.pool, patients, [plan for plan, _ in plans])
    around = {loads(each.plan)["id"]: each for each in found}
    access = engine.access(caller)
    conditions = await store.conditions(engine.pool, ids, condition(access, {"Condition"}))
    start, end = (datetime.combine(day, time.min, UTC) for day in (first, last + timedelta(days=1)))
    scores = await store.scores(engine.pool, patients, PAIN_SCALES, start, end, condition(access, {"Observation"}))
    entries = await ledger.of_plans(engine.pool, [plan for plan, _ in plans], first, last, always=(Kind.VISIT,))
    return [
        _month(
            Material(
                plan=loads(around[plan].plan),
                goals=[loads(goal) for goal in around[plan].goals],
                conditions=[loads(body) for whose, body in conditions if f"Patient/{whose}" == patient],
                scores=[f"Observation/{id_}" for whose, id_ in scores if whose == patient],
                entries=_of_plan(entries, plan),
                first=first,
                last=last,
            ),
            month,
        )
        for plan, patient in plans
        if plan in around
    ]


def _of_plan(entries: Sequence[Entry], plan: str) -> list[Entry]:
    return [entry for entry in entries if entry.care_plan == plan]


def _month(material: Material, month: str) -> Month:
    found: Evidence = judge(material)
    return Month(
        care_plan=f"CarePlan/{material.plan['id']}",
        patient=reference_of(material.plan.get("subject")),
        month=month,
        minutes=found.minutes,
        qualified_minutes=found.qualified,
        g3002=found.complete,
        # one code adds to the other: there is none without it
        g3003_units=found.units if found.complete else 0,
        minutes_to_next=found.to_next,
        missing=found.missing,
        elements=tuple(map(_element, found.elements)),
        source=SOURCE,
        note=NOTE,
    )


def _element(judged: Judged) -> ElementFound:
    of, found = judged.element, judged.found
    return ElementFound(of.id, of.says, of.needed, found.state.value, found.shown_by, found.lacks)
