"""Answer the hooks of EHRs from what they sent and the shared record, and keep what people did with the cards."""

import asyncio
from dataclasses import replace
from typing import Any

from services.careplans.app.patient_record import record_of
from services.careplans.domain.hooks.cards import cards
from services.careplans.domain.hooks.feedback import overridden
from services.careplans.domain.hooks.judging import joined
from services.careplans.domain.hooks.request import read
from services.careplans.domain.hooks.services import service_of
from services.careplans.domain.rules import refuse_patients
from services.careplans.domain.safety.evaluate import evaluate
from services.careplans.domain.safety.issues import BY_PEOPLE, State, is_finding, state_of, with_state
from shared.engine import Engine
from shared.fhir.json import Resource, loads
from shared.security.caller import Caller
from shared.unit_of_work import unit_of_work


async def call(engine: Engine, caller: Caller, service_id: str, body: Any) -> Resource:
    """The cards for one call of a service. It stores nothing, and calls nobody.

    Raises ``NotFound`` for an unknown service, ``Forbidden`` for patients, ``Invalid`` for what cannot be read, and
    ``PreconditionFailed`` where the data cannot be had."""
    asked = read(service_of(service_id), body)
    refuse_patients(caller, "Cards are for who treats the patient.")
    shared = await record_of(engine, engine.access(caller), asked.patient)
    judged = joined(asked, shared)
    today = engine.clock().date()
    evaluation = await asyncio.to_thread(evaluate, judged.record, today)
    before = None
    if asked.service.orders:
        without = joined(replace(asked, drafts=()), shared)
        before = await asyncio.to_thread(evaluate, without.record, today)
    return {"cards": cards(asked, judged, evaluation, before)}


async def feedback(engine: Engine, caller: Caller, service_id: str, body: Any) -> int:
    """Keep overrides as acknowledgements of the findings that the cards were made of; how many. What has no finding in
    the shared record, is done with, or comes without a reason, is let go of.

    Raises ``NotFound``, ``Forbidden`` for patients, and ``Invalid``."""
    service_of(service_id)
    told = overridden(body)
    refuse_patients(caller)
    kept = 0
    async with unit_of_work(engine, caller) as work:
        await work.lock_all([("DetectedIssue", each.card) for each in told])
        for each in told:
            stored = await work.load("DetectedIssue", each.card)
            issue: Resource = {} if stored is None or stored.deleted else loads(stored.body)
            state = state_of(issue)
            if is_finding(issue) and state is not None and State.ACKNOWLEDGED in BY_PEOPLE[state]:
                await work.update(with_state(issue, State.ACKNOWLEDGED, each.reason))
                kept += 1
        await work.commit()
    return kept
