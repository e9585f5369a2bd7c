"""The plans that EHRs keep for the same patient: linked when they are heard of, compared when somebody looks, and taken
over by people.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.careplans.app.queries import require_view
from services.careplans.domain.codes import is_shared_plan, reference_of
from services.careplans.domain.identity import with_ids
from services.careplans.domain.rules import KEEPER, refuse_patients
from services.careplans.domain.sources import LINKS, Item, is_source, linked, reconciled, taken_over
from services.careplans.domain.states import TERMINAL_PLAN
from services.careplans.store import shared_plans
from shared.contracts.careplans import CarePlanV1
from shared.engine import Engine
from shared.errors import Conflict, NotFound, Unprocessable
from shared.fhir.json import Resource, loads
from shared.fhir.search import search
from shared.fhir.search.access import condition
from shared.provenance import Cause
from shared.reading import current
from shared.security.caller import Caller
from shared.store import resources
from shared.store.resources import Stored
from shared.unit_of_work import UnitOfWork, unit_of_work

MOST = "100"
"""Plans of one patient, the newest first."""


@dataclass(frozen=True, slots=True)
class Source:
    """Another plan of the patient. ``link`` is how the shared plan refers to it: basedOn, partOf, replaces or null."""

    care_plan: str
    version: int
    status: str
    title: str | None
    link: str | None
    items: tuple[Item, ...]


async def follow_plan(engine: Engine, payload: CarePlanV1, *, new: bool) -> None:
    """Link the shared plan of the patient to what ``payload`` tells of; a ``new`` shared plan, to all that there are.

    Safe to repeat, in any order."""
    if payload.patient is None:
        return
    shared = await shared_plans.find(engine.pool, payload.patient)
    if shared is None:
        return
    if payload.care_plan == f"CarePlan/{shared.care_plan}" and not new:
        return
    plans = await _plans(engine, payload, shared.care_plan)
    wanted = [reference for reference, plan in plans.items() if is_source(plan, payload.patient)]
    gone = [reference for reference, plan in plans.items() if not is_source(plan, payload.patient)]
    # an EHR may change its plan often: who works on the shared one waits for that only where a link comes or goes
    if _with_links(await resources.read(engine.pool, "CarePlan", shared.care_plan), wanted, gone) is None:
        return
    async with unit_of_work(engine, KEEPER) as work:
        await shared_plans.lock(await work.connection(), shared.care_plan)
        after = _with_links(await work.load("CarePlan", shared.care_plan), wanted, gone)
        if after is not None:
            await work.update(after)
            await work.commit()


def _with_links(stored: Stored | None, wanted: Sequence[str], gone: Sequence[str]) -> Resource | None:
    """The shared plan with the links that it should have; None where it has them, or has ended."""
    if stored is None or stored.deleted:
        return None
    plan: Resource = loads(stored.body)
    after = linked(plan, wanted, gone)
    return None if after is plan or plan.get("status") in TERMINAL_PLAN else after


async def _plans(engine: Engine, payload: CarePlanV1, shared: str) -> dict[str, Resource | None]:
    """What to look at, by reference; None is what is not there any more."""
    type_, _, id_ = payload.care_plan.partition("/")
    if id_ != shared:
        stored = await resources.read(engine.pool, type_, id_)
        return {payload.care_plan: None if stored is None or stored.deleted else loads(stored.body)}
    asked = [("patient", payload.patient or ""), ("_sort", "-_lastUpdated"), ("_count", MOST)]
    page = await search(engine.pool, "CarePlan", asked, clock=engine.clock)
    found = {f"CarePlan/{each.id}": loads(each.body) for each in page.matches}
    return {reference: plan for reference, plan in found.items() if not is_shared_plan(plan)}


async def sources_of(engine: Engine, caller: Caller, plan_id: str) -> list[Source]:
    """The other plans of the patient, the newest first, compared with the shared one: three statements.

    Raises ``NotFound`` or ``Gone``, ``Unprocessable`` for a plan that is not shared."""
    plan: Resource = loads((await current(engine, caller, "CarePlan", plan_id)).body)
    patient = reference_of(plan.get("subject")) or ""
    require_view(caller, patient)
    _require_shared(plan)
    asked = [("patient", patient), ("_sort", "-_lastUpdated"), ("_count", MOST)]
    page = await search(engine.pool, "CarePlan", asked, access=engine.access(caller), clock=engine.clock)
    found = [(each, loads(each.body)) for each in page.matches]
    others = [(stored, other) for stored, other in found if is_source(other, patient)]
    goals = await _goals(engine, caller, [plan, *(other for _, other in others)])
    return [_source(plan, stored, other, goals) for stored, other in others]


async def take_over(
    engine: Engine, caller: Caller, plan_id: str, source_id: str, version: int, keys: Sequence[str], reason: str | None
) -> None:
    """Take activities and goals of another plan into the shared one, as the caller; what is there already stays once.

    Raises ``NotFound`` or ``Gone`` for either plan, ``Conflict`` where the other one has changed since ``version``,
    ``Unprocessable`` for a key that it has not, and what the rules of the plan raise."""
    refuse_patients(caller)
    source = await current(engine, caller, "CarePlan", source_id)
    if is_shared_plan(loads(source.body)):
        raise NotFound("The patient has no such other plan.")
    if source.version != version:
        raise Conflict("The other plan has changed since; look at it again.", expression=("version",))
    async with unit_of_work(engine, caller, cause=Cause(reason)) as work:
        plan = await _locked(work, plan_id)
        other = loads(source.body)
        if not is_source(other, reference_of(plan.get("subject")) or ""):
            raise NotFound("The patient has no such other plan.")
        goals = await _goals(engine, caller, [plan, other])
        missing = {item.key for item in reconciled(plan, other, goals) if item.standing == "missing"}
        try:
            activities, fresh = taken_over(other, keys)
        except KeyError:
            text = "The other plan has no such activity or goal."
            raise Unprocessable(text, code="not-found", expression=("items",)) from None
        wanted = [key for key in keys if key in missing]
        activities, fresh = taken_over(other, wanted)
        after = _with(plan, activities, fresh)
        if after != plan:
            await work.update(after)
            await work.commit()


async def _locked(work: UnitOfWork, plan_id: str) -> Resource:
    stored = await work.load("CarePlan", plan_id)
    if stored is None or stored.deleted:
        raise NotFound("No such plan.")
    plan: Resource = loads(stored.body)
    _require_shared(plan)
    return with_ids(plan, "activity")


def _with(plan: Resource, activities: list[Resource], goals: list[Resource]) -> Resource:
    after = dict(plan)
    if activities:
        after["activity"] = [*(plan.get("activity") or ()), *activities]
    if goals:
        after["goal"] = [*(plan.get("goal") or ()), *goals]
    return after


async def _goals(engine: Engine, caller: Caller, plans: Sequence[Resource]) -> Mapping[str, Resource]:
    references = {reference_of(goal) or "" for plan in plans for goal in plan.get("goal") or ()}
    keys = sorted(("Goal", reference.split("/")[1]) for reference in references if reference.startswith("Goal/"))
    if not keys:
        return {}
    found = await resources.read_many(engine.pool, keys, seen=condition(engine.access(caller), {"Goal"}))
    return {f"Goal/{stored.id}": loads(stored.body) for stored in found if not stored.deleted}


def _source(plan: Resource, stored: Stored, other: Resource, goals: Mapping[str, Resource]) -> Source:
    reference = f"CarePlan/{stored.id}"
    links = (name for name in LINKS if any(reference_of(each) == reference for each in plan.get(name) or ()))
    return Source(
        care_plan=reference,
        version=stored.version,
        status=other["status"],
        title=other.get("title"),
        link=next(links, None),
        items=tuple(reconciled(plan, other, goals)),
    )


def _require_shared(plan: Resource) -> None:
    if not is_shared_plan(plan):
        raise Unprocessable("This is not the patient's shared plan.", expression=("CarePlan.category",))
