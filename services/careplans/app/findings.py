"""Keep the findings of the safety rules in step with the record: made, refreshed, ended, opened again."""

import asyncio
from datetime import datetime, timedelta

from services.careplans.app.patient_record import record_of
from services.careplans.domain.rules import KEEPER
from services.careplans.domain.safety.evaluate import Evaluation, evaluate
from services.careplans.domain.safety.issues import is_finding, next_look, reconcile
from services.careplans.store import safety
from shared.engine import Engine
from shared.fhir.json import Resource, loads
from shared.telemetry.instruments import counts
from shared.unit_of_work import UnitOfWork, unit_of_work

LEASE = timedelta(minutes=5)
"""How long a patient is in one worker's hands; after a failure, how long until the next try."""
AT_LEAST = timedelta(days=7)
"""Time alone makes findings (12 weeks, an old value, a birthday): whoever has medicines is looked at this often."""

LOOKS = counts("consilium.safety.looks", "Records that the safety rules looked at.")


async def scan(engine: Engine) -> bool:
    """Note whose record changed; False where another worker is at it."""
    async with engine.pool.acquire() as connection, connection.transaction():
        return await safety.scan(connection, engine.clock())


async def evaluate_due(engine: Engine) -> bool:
    """Look at one patient who is due; False where nobody is. Safe to repeat, and for many workers at once."""
    claimed = await safety.claim(engine.pool, engine.clock(), LEASE)
    if claimed is None:
        return False
    patient, until = claimed
    async with unit_of_work(engine, KEEPER) as work:
        connection = await work.connection()
        evaluation, issues = await keep(work, f"Patient/{patient}")
        again = _again(evaluation, issues, work.now)
        await safety.settle(connection, patient, until, again)
        await work.commit()
    LOOKS.add()
    return True


async def keep(work: UnitOfWork, patient: str) -> tuple[Evaluation, list[Resource]]:
    """Judge the record of ``Patient/x``, and stage what its findings become; the findings as they are then.

    Whoever else does so waits. Raises what ``record_of`` raises."""
    connection = await work.connection()
    await safety.line_up(connection, patient.removeprefix("Patient/"))
    record = await record_of(work.engine, work.access, patient, connection)
    evaluation = await asyncio.to_thread(evaluate, record, work.now.date())
    stored = {each["id"]: each for each in record.get("DetectedIssue", ()) if is_finding(each)}
    if not record.get("Patient"):
        return evaluation, list(stored.values())
    changed = reconcile(evaluation.findings, evaluation.unknown, stored.values(), patient, work.now)
    for issue in changed:
        saved = await work.update(issue)
        stored[saved.id] = loads(saved.body)
    return evaluation, list(stored.values())


def _again(evaluation: Evaluation, issues: list[Resource], now: datetime) -> datetime | None:
    """When to look again without a change: when a snooze ends, and after a week where there is a medicine."""
    times = [each for each in (next_look(issues),) if each is not None]
    if evaluation.facts.medicines.entries or evaluation.facts.medicines.past:
        times.append(now + AT_LEAST)
    return min(times, default=None)
