"""A definition applied to a patient: the record is read, the rules are asked, nothing is stored."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from services.careplans.app.patient_record import medications
from services.careplans.domain.applying.apply import apply
from services.careplans.domain.applying.circumstances import Circumstances
from services.careplans.domain.applying.definitions import named_by, plan_of
from services.careplans.domain.applying.gather import RECORD
from services.careplans.domain.applying.medicines import referred
from services.careplans.domain.applying.preferences import circumstances_of, joined
from services.careplans.domain.applying.proposal import Proposal
from services.careplans.domain.rules import refuse_patients
from services.careplans.store import record, waits
from shared.engine import Engine
from shared.errors import Unprocessable
from shared.fhir.json import Resource, loads
from shared.fhir.search import search
from shared.reading import current
from shared.security.caller import Caller

PLAN, ACTIVITY = "PlanDefinition", "ActivityDefinition"
FOR_WHOM = "This is advice for who treats or coordinates; patients see what becomes of it in their plan."
_MOST_DEFINITIONS = "1000"


async def applied(
    engine: Engine, caller: Caller, definition: tuple[str, str], patient: str, asked: Circumstances
) -> Proposal:
    """The proposal of ``definition`` (type and id) for ``patient`` (``Patient/x``): four statements, and one more where
    medicines refer to Medications.

    What is ``asked`` goes before what the record holds of the patient's wishes, and what is known of waits.

    Raises ``Forbidden`` for patients, ``NotFound`` or ``Gone`` for the definition, ``Unprocessable`` for a patient who
    is not here, and as ``apply`` does."""
    refuse_patients(caller, FOR_WHOM)
    stored = await current(engine, caller, *definition)
    plan: Resource = loads(stored.body)
    if stored.type == ACTIVITY:
        definitions = [plan]
        plan = plan_of(plan)
    else:
        definitions = await _definitions(engine, caller, plan)
    return await of_record(engine, caller, plan, definitions, patient, asked)


async def of_record(
    engine: Engine,
    caller: Caller,
    plan: Resource,
    definitions: Iterable[Resource],
    patient: str,
    asked: Circumstances,
) -> Proposal:
    """The proposal of ``plan`` and its ActivityDefinitions for ``patient``."""
    now = engine.clock()
    found = await record.of_patient(engine.pool, patient.partition("/")[2], RECORD, engine.access(caller))
    if not found.resources["Patient"]:
        text = "The patient is not in the shared record."
        raise Unprocessable(text, code="not-found", expression=("subject",))
    named = referred(found.resources)
    found.resources["Medication"] = await medications(engine.pool, engine.access(caller), named)
    wishes = joined(asked, circumstances_of(found.resources["Observation"], now))
    wishes = replace(wishes, waits=await waits.known(engine.pool, now) | dict(wishes.waits))
    # a plan that clients wrote may take its time, and others have their turn meanwhile
    proposal = await asyncio.to_thread(apply, plan, definitions, found.resources, now, wishes)
    return replace(proposal, notes=(*proposal.notes, *map(_cut, found.cut)))


def _cut(type_: str) -> str:
    return f"There is more of the type {type_} than was looked at: the {record.MOST} that came last."


async def _definitions(engine: Engine, caller: Caller, plan: Resource) -> list[Resource]:
    """The ActivityDefinitions that the plan's actions name, the newest of a URL last."""
    urls = sorted(named_by(plan))
    if not urls:
        return []
    asked: list[tuple[str, Any]] = [
        ("url", ",".join(map(_escaped, urls))),
        ("_sort", "_lastUpdated"),
        ("_count", _MOST_DEFINITIONS),
    ]
    page = await search(engine.pool, ACTIVITY, asked, access=engine.access(caller), clock=engine.clock)
    return [loads(each.body) for each in page.matches]


def _escaped(url: str) -> str:
    for special in "\\,$|":
        url = url.replace(special, f"\\{special}")
    return url
