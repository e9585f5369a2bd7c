"""``CarePlan/$contribute``: what somebody changed in an older version of the shared plan comes into the current one."""

from services.careplans.app.turns import Turns
from services.careplans.domain.codes import is_shared_plan, reference_of
from services.careplans.domain.contributing import Contribution, brought_in
from services.careplans.domain.hands import Hands, hands_of, team_of
from shared.engine import Engine
from shared.errors import Conflict, Gone, Invalid, NotFound, Unprocessable
from shared.fhir.difference import add_difference
from shared.fhir.interactions.stale import version_of
from shared.fhir.json import Resource, loads
from shared.fhir.search import matches
from shared.fhir.search.access import EVERYTHING
from shared.fhir.subset import refuse_subset
from shared.fhir.validate import check
from shared.provenance import REQUESTS, SOURCE, TYPE, Cause
from shared.security.caller import Caller
from shared.staging import Key, key_of
from shared.store import resources
from shared.store.resources import Stored
from shared.unit_of_work import UnitOfWork, unit_of_work

_TURNS = Turns()


async def contribute(
    engine: Engine, caller: Caller, plan_id: str, contribution: Contribution, *, provenance: Resource | None
) -> Stored:
    """The shared plan with the contribution in it; as it is, where all of it is there, or was before.

    Raises ``NotFound``, ``Gone``; ``Invalid`` for a version that never was; ``Conflict`` with what differs where others
    changed the same, or the version is not kept; and what the validation and the rules raise."""
    check(contribution.plan)
    refuse_subset(contribution.plan)
    name = contribution.name(caller)
    cause = Cause(contribution.reason, name)
    async with _TURNS.of(plan_id), unit_of_work(engine, caller, provenance=provenance, cause=cause) as work:
        stored = await _locked(work, plan_id)
        if not 0 < contribution.base <= stored.version:
            where = ("CarePlan.meta.versionId",)
            raise Invalid("The plan never had this version.", code="value", expression=where)
        if contribution.base < stored.version and await _came_before(work, name):
            return stored
        brought = await _brought(work, stored, contribution)
        if brought is None:
            return stored
        written = await work.update(brought)
        await work.commit()
    return written


async def _locked(work: UnitOfWork, plan_id: str) -> Stored:
    stored = await work.load("CarePlan", plan_id)
    if stored is None:
        raise NotFound("No such resource.")
    if stored.deleted:
        raise Gone("The resource was deleted.")
    return stored


async def _came_before(work: UnitOfWork, name: str) -> bool:
    """Whether it is in the plan's history already; what became of it since is for people, and not to be undone.

    Under the lock on the plan nobody else is bringing it in."""
    criteria = [("entity:identifier", f"{REQUESTS}|{name}"), ("_source", SOURCE)]
    connection = await work.connection()
    return bool(await matches(connection, TYPE, criteria, base="", access=EVERYTHING, limit=1))


async def _brought(work: UnitOfWork, stored: Stored, contribution: Contribution) -> Resource | None:
    plan: Resource = loads(stored.body)
    if not is_shared_plan(plan):
        raise Unprocessable("The shared plan takes contributions; change another plan with an update.")
    base = plan if contribution.base == stored.version else await version_of(work, stored, contribution.base)
    brought = brought_in(contribution, base, plan, await _hands(work, plan))
    if brought.refused:
        kept = base is not None
        text = "Others changed the same elements since." if kept else "The version is not kept any more."
        error = Conflict(text)
        add_difference(error, plan, contribution.base, brought.refused)
        raise error
    return brought.resource


async def _hands(work: UnitOfWork, plan: Resource) -> Hands:
    named = _teams(plan)
    teams = await resources.read_many(await work.connection(), named) if named else []
    related = {f"{team.type}/{team.id}": loads(team.body) for team in teams if not team.deleted}
    return hands_of(work.caller, team_of(plan, related), reference_of(plan.get("subject")), work.now)


def _teams(plan: Resource) -> list[Key]:
    named = (reference_of(each) for each in plan.get("careTeam") or ())
    return [key_of(name) for name in named if name is not None and name.startswith("CareTeam/")]
