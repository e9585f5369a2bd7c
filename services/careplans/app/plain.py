"""The plan in plain words: what it needs is read in a handful of statements, however long the plan is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.careplans.app.queries import require_view
from services.careplans.domain.applying.circumstances import Circumstances
from services.careplans.domain.applying.preferences import (
    CARE_EXPERIENCE,
    LOINC,
    TREATMENT_PREFERENCE,
    circumstances_of,
)
from services.careplans.domain.codes import reference_of
from services.careplans.domain.plain import Known, Section, in_plain_words
from services.careplans.store import shared_plans
from shared.engine import Engine
from shared.fhir.json import Resource, loads
from shared.fhir.search import search
from shared.fhir.search.access import condition
from shared.fhir.search.params.reference import local
from shared.reading import current
from shared.security.caller import Caller
from shared.store import resources

_WISHES = ",".join(f"{LOINC}|{code}" for code in (TREATMENT_PREFERENCE, CARE_EXPERIENCE))


@dataclass(frozen=True, slots=True)
class PlainPlan:
    """The plan, for the patient to read."""

    care_plan: str
    version: int
    sections: tuple[Section, ...]


async def plain_plan(engine: Engine, caller: Caller, plan_id: str) -> PlainPlan:
    """Raises ``NotFound`` or ``Gone``."""
    stored = await current(engine, caller, "CarePlan", plan_id)
    plan: Resource = loads(stored.body)
    patient = reference_of(plan.get("subject"))
    require_view(caller, patient)
    wishes = await _wishes(engine, caller, patient)
    team = await shared_plans.team_of(engine.pool, plan_id)
    goals = [reference_of(each) for each in plan.get("goal") or ()]
    found = await _read(engine, caller, [*goals, *([f"CareTeam/{team}"] if team else [])])
    participants = found.get(f"CareTeam/{team}", {}).get("participant") or ()
    followed = [reference_of(each.get("reference")) for each in plan.get("activity") or ()]
    named = await _read(engine, caller, [*followed, *(reference_of(each.get("member")) for each in participants)])
    known = Known(
        plan=plan,
        goals=[found[each] for each in goals if each in found],
        participants=participants,
        wishes=wishes,
        names={reference: name for reference, each in named.items() if (name := _name(each))},
        treatments=await _titles(engine, caller, [entry.treatment for entry in wishes.declined]),
    )
    return PlainPlan(f"CarePlan/{stored.id}", stored.version, in_plain_words(known))


async def _wishes(engine: Engine, caller: Caller, patient: str | None) -> Circumstances:
    if patient is None or local(patient) is None:
        return Circumstances()
    asked = [("patient", patient), ("code", _WISHES), ("_sort", "-date"), ("_count", "200")]
    page = await search(engine.pool, "Observation", asked, access=engine.access(caller), clock=engine.clock)
    return circumstances_of((loads(each.body) for each in page.matches), engine.clock())


async def _titles(engine: Engine, caller: Caller, treatments: Iterable[str]) -> Mapping[str, str]:
    """By the code of a treatment; definitions of the catalogue have it as their id."""
    found = await _read(engine, caller, [f"ActivityDefinition/{each}" for each in treatments])
    return {each["id"]: each["title"] for each in found.values() if "title" in each}


async def _read(engine: Engine, caller: Caller, references: Iterable[str | None]) -> dict[str, Resource]:
    """Those of ``references`` that are here, copies of what others own among them, and may be seen: one statement."""
    keys = sorted({key for each in references if each is not None and (key := local(each)) is not None})
    if not keys:
        return {}
    seen = condition(engine.access(caller), {type_ for type_, _ in keys})
    found = await resources.read_many(engine.pool, keys, seen=seen)
    return {f"{each.type}/{each.id}": loads(each.body) for each in found if not each.deleted}


def _name(resource: Resource) -> str | None:
    """What a person calls it: the name of a person or a place, the text of an order."""
    name = resource.get("name")
    if isinstance(name, list) and name:
        parts = (*name[0].get("prefix", ()), *name[0].get("given", ()), name[0].get("family", ""))
        return name[0].get("text") or " ".join(filter(None, parts)) or None
    if isinstance(name, str):
        return name
    code = resource.get("code") or {}
    return code.get("text") if isinstance(code, dict) else None
