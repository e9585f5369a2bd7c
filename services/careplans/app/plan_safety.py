"""What coordinators and clinicians see of the safety of a plan's patient, and how they answer a finding."""

import asyncio

from services.careplans.app.findings import keep
from services.careplans.app.patient_record import record_of
from services.careplans.app.queries import require_view
from services.careplans.app.safety_views import Safety, told
from services.careplans.domain.codes import reference_of
from services.careplans.domain.rules import KEEPER, refuse_patients
from services.careplans.domain.safety.answering import later
from services.careplans.domain.safety.evaluate import evaluate
from services.careplans.domain.safety.issues import (
    State,
    is_finding,
    with_state,
)
from shared.engine import Engine
from shared.errors import NotFound
from shared.fhir.json import Resource, loads
from shared.reading import current
from shared.security.caller import Caller
from shared.unit_of_work import unit_of_work

PATIENT = "Patient/"


async def safety_of(engine: Engine, caller: Caller, plan_id: str) -> Safety:
    """The rules on the record of the plan's patient, as far as the caller may see it. It stores nothing.

    Raises ``NotFound`` or ``Gone``."""
    patient = await _patient_of(engine, caller, plan_id)
    record = await record_of(engine, engine.access(caller), patient) if patient.startswith(PATIENT) else {}
    issues = {each["id"]: each for each in record.get("DetectedIssue", ()) if is_finding(each)}
    evaluation = await asyncio.to_thread(evaluate, record, engine.clock().date())
    return told(plan_id, patient, evaluation, issues)


async def answer(
    engine: Engine,
    caller: Caller,
    plan_id: str,
    issue: str,
    state: State,
    reason: str,
    months: int | None = None,
) -> Safety:
    """Acknowledge, snooze (for ``months``) or resolve a finding of the plan's patient; what the rules say then.

    Raises ``NotFound`` or ``Gone``, ``Forbidden`` for patients, ``Conflict`` for an answer that may not follow, and
    ``Unprocessable`` for one without a reason."""
    refuse_patients(caller)
    patient = await _patient_of(engine, caller, plan_id)
    await _keep_first(engine, patient)
    async with unit_of_work(engine, caller) as work:
        stored = await work.load("DetectedIssue", issue)
        body: Resource = {} if stored is None or stored.deleted else loads(stored.body)
        if not is_finding(body) or reference_of(body.get("patient")) != patient:
            raise NotFound("No such finding of this patient.")
        until = None if months is None else later(work.now, months)
        await work.update(with_state(body, state, reason, until))
        await work.commit()
    return await safety_of(engine, caller, plan_id)


async def _keep_first(engine: Engine, patient: str) -> None:
    """What is answered may have been seen before the worker stored it."""
    if patient.startswith(PATIENT):
        async with unit_of_work(engine, KEEPER) as work:
            await keep(work, patient)
            await work.commit()


async def _patient_of(engine: Engine, caller: Caller, plan_id: str) -> str:
    stored = await current(engine, caller, "CarePlan", plan_id)
    patient = reference_of(loads(stored.body).get("subject"))
    require_view(caller, patient)
    return patient or ""
