"""Record minutes, correct them, and tell those of a month."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from services.careplans.app.board import require_staff
from services.careplans.app.outcomes import restand
from services.careplans.domain.codes import is_shared_plan, reference_of
from services.careplans.domain.minutes import Entry, Kind, check, counting, total
from services.careplans.store import minutes as ledger
from services.careplans.store.minutes import Claim
from shared.engine import Engine
from shared.errors import Conflict, Unprocessable
from shared.fhir.json import loads
from shared.idempotency import WHERE
from shared.reading import current
from shared.security.caller import Caller
from shared.store import resources
from shared.store.database import Connection


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry, and whether it counts: nobody has corrected it, and it has minutes."""

    entry: Entry
    counts: bool


@dataclass(frozen=True, slots=True)
class Ledger:
    """The entries of a month, corrected ones too, and what counts of them. ``qualified`` is of physicians and other
    qualified health professionals in person."""

    care_plan: str
    first: date
    last: date
    minutes: int
    qualified: int
    entries: tuple[Recorded, ...]


async def record(engine: Engine, caller: Caller, entry: Entry, claim: Claim | None) -> tuple[Entry, bool]:
    """Add ``entry`` to the ledger; the entry, and whether it was there already under the same key.

    Raises ``NotFound`` (no such plan), ``Forbidden``, ``Conflict`` where what it corrects was corrected already, and
    ``Unprocessable`` for what cannot be, or a key that was used for another request."""
    require_staff(caller)
    stored = await current(engine, caller, "CarePlan", entry.care_plan)
    plan = loads(stored.body)
    if not is_shared_plan(plan):
        raise Unprocessable("Minutes are kept for shared plans.", expression=("path.plan_id",))
    async with engine.pool.acquire() as connection, connection.transaction():
        now = engine.clock()
        corrected = None if entry.corrects is None else await ledger.read(connection, entry.corrects)
        if entry.corrects is not None and corrected is None:
            raise Unprocessable("No such entry.", code="not-found", expression=("body.corrects",))
        check(entry, caller, corrected, now)
        await _require_evidence(connection, engine, entry)
        if not await ledger.add(connection, entry, caller.subject, claim):
            return await _replayed(connection, caller, claim), True
        reviews = Kind.PLAN_REVIEW in (entry.kind, corrected and corrected.kind)
        patient = reference_of(plan.get("subject"))
        if reviews and patient is not None:
            await restand(connection, [patient], now, plan=entry.care_plan)
    return entry, False


async def ledger_of(engine: Engine, caller: Caller, plan_id: str, first: date, last: date) -> Ledger:
    """What was recorded for the plan from ``first`` to ``last``. Raises ``NotFound`` or ``Gone``."""
    require_staff(caller)
    await current(engine, caller, "CarePlan", plan_id)
    entries = await ledger.of_plans(engine.pool, [plan_id], first, last)
    return told(plan_id, entries, first, last)


def told(plan_id: str, entries: Sequence[Entry], first: date, last: date) -> Ledger:
    """``entries`` as they are told; those count whose day is from ``first`` to ``last``."""
    counts = [entry for entry in counting(entries) if first <= entry.day <= last]
    return Ledger(
        f"CarePlan/{plan_id}",
        first,
        last,
        total(counts),
        total(counts, qualified=True),
        tuple(Recorded(entry, entry in counts) for entry in entries),
    )


async def _replayed(connection: Connection, caller: Caller, claim: Claim | None) -> Entry:
    known = None if claim is None else await ledger.keyed(connection, caller.subject, claim)
    if known is None:
        raise Conflict("The entry was corrected already: correct the correction.", expression=("body.corrects",))
    entry, same = known
    if not same:
        raise Unprocessable("This key was used for another request.", code="duplicate", expression=WHERE)
    return entry


async def _require_evidence(connection: Connection, engine: Engine, entry: Entry) -> None:
    if entry.evidence is None:
        return
    type_, _, id_ = entry.evidence.partition("/")
    if type_ in engine.kinds and not await resources.present(connection, [(type_, id_)]):
        raise Unprocessable("No such resource.", code="not-found", expression=("body.evidence",))
