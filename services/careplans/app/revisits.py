"""Uncertain diagnoses whose date has passed: told once for each date, and listed until somebody has looked."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import date, timedelta

import msgspec

from services.careplans.app.board import require_staff
from services.careplans.app.outcomes import restand
from services.careplans.domain.uncertainty import RevisitDue
from services.careplans.store import diagnoses, outcome_scores
from services.careplans.store.diagnoses import Key, Placed
from shared.engine import Engine
from shared.errors import Invalid
from shared.fhir.search.access import condition
from shared.security.caller import Caller, internal
from shared.store.resources import Stored
from shared.unit_of_work import unit_of_work

BATCH = 200
"""Diagnoses that one transaction tells of."""
ME = internal("careplans")


@dataclass(frozen=True, slots=True)
class Revisit:
    """One diagnosis to look at again. What it is, and its red flags, are read over FHIR."""

    condition: str
    patient: str
    care_plan: str | None
    verification: str
    revisit_by: date
    days_over: int
    """Negative: so many days are left."""
    red_flags: int


@dataclass(frozen=True, slots=True)
class RevisitPage:
    """Some of them, and where the next page begins, if there is one."""

    revisits: tuple[Revisit, ...]
    cursor: str | None


async def tell_due(engine: Engine, *, limit: int = BATCH) -> int:
    """Tell of up to ``limit`` diagnoses that their date has passed; how many were found.

    An event is in the outbox in the transaction that notes the date: it is told, or still due, whoever is lost."""
    async with unit_of_work(engine, ME) as work:
        connection = await work.connection()
        today = work.now.date()
        found = await diagnoses.due(connection, today, limit=limit)
        if not found:
            return 0
        # whoever changes a diagnosis, or tells of it, has its patient: what was seen before may have changed
        await outcome_scores.lock(connection, {each.diagnosis.patient for each in found})
        among = [each.diagnosis.condition for each in found]
        due = await diagnoses.due(connection, today, limit=limit, among=among)
        for each in due:
            stored = Stored("Condition", each.diagnosis.condition, each.diagnosis.version, work.now, False, b"")
            for type_, subject, payload in engine.outgoing(_fact(each), stored, ME):
                work.record(type_, subject, payload)
        await diagnoses.told(connection, [each.diagnosis.condition for each in due])
        await restand(connection, sorted({each.diagnosis.patient for each in due}), work.now)
        await work.commit()
    return len(found)


async def revisits(
    engine: Engine, caller: Caller, *, due_before: date | None, limit: int, cursor: str | None
) -> RevisitPage:
    """One page of those whose date is before ``due_before``: tomorrow, where none is named.

    Raises ``Forbidden`` for patients, ``Invalid`` for a cursor that is none."""
    require_staff(caller)
    today = engine.clock().date()
    before = due_before or today + timedelta(days=1)
    after = None if cursor is None else _decoded(cursor)
    seen = condition(engine.access(caller), {"Condition"})
    found = await diagnoses.page(engine.pool, before, after=after, limit=limit + 1, seen=seen)
    more = len(found) > limit
    return RevisitPage(
        tuple(_revisit(each, today) for each in found[:limit]), _encoded(found[limit - 1]) if more else None
    )


def _fact(placed: Placed) -> RevisitDue:
    found = placed.diagnosis
    assert found.revisit_by is not None, "without a date it is not due"
    return RevisitDue(found.patient, placed.care_plan and f"CarePlan/{placed.care_plan}", found.revisit_by)


def _revisit(placed: Placed, today: date) -> Revisit:
    found = placed.diagnosis
    assert found.revisit_by is not None, "the list has those with a date"
    return Revisit(
        condition=f"Condition/{found.condition}",
        patient=found.patient,
        care_plan=placed.care_plan and f"CarePlan/{placed.care_plan}",
        verification=found.verification,
        revisit_by=found.revisit_by,
        days_over=(today - found.revisit_by).days,
        red_flags=found.red_flags,
    )


def _encoded(placed: Placed) -> str:
    key = (placed.diagnosis.revisit_by, placed.diagnosis.condition)
    return urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def _decoded(cursor: str) -> Key:
    try:
        said = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        at, id_ = msgspec.json.decode(said, type=tuple[date, str])
        if "\x00" in id_:
            raise ValueError("no id")
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        raise Invalid("The cursor is not one of this list.", code="value", expression=("query.cursor",)) from None
    return at, id_
