"""Proposals for a shared plan: made, and decided on. What is accepted is in the plan when the decision is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.careplans.app.applying import applied
from services.careplans.domain.applying.circumstances import Circumstances
from services.careplans.domain.codes import is_shared_plan, reference_of
from services.careplans.domain.hands import hands_of, team_of
from services.careplans.domain.identity import with_ids
from services.careplans.domain.proposals.activity import marked
from services.careplans.domain.proposals.deciding import Decision, Settlement, Who, in_list, settle
from services.careplans.domain.proposals.offered import plan_of_proposal, same_offer, stored_proposal
from services.careplans.domain.proposals.recorded import Recorded
from services.careplans.domain.referral import Referral
from services.careplans.domain.rules import KEEPER, refuse_patients
from services.careplans.domain.shared_plan import with_referrals
from services.careplans.domain.states import TERMINAL_PLAN
from services.careplans.store import followed_referrals, orders, shared_plans
from shared.engine import Engine
from shared.errors import Conflict, Gone, NotFound, Unprocessable
from shared.fhir.json import Resource, loads
from shared.fhir.search import search
from shared.provenance import Cause
from shared.reading import current
from shared.security.caller import Caller
from shared.store import resources
from shared.store.resources import Stored
from shared.unit_of_work import UnitOfWork, unit_of_work

GROUP, PLAN = "RequestGroup", "CarePlan"
Precondition = Callable[[UnitOfWork, Stored], None]
"""Raises where the caller has not seen the version that is there."""


@dataclass(frozen=True, slots=True)
class Made:
    """A stored proposal, and whether it is a new one."""

    stored: Stored
    new: bool


async def propose(
    engine: Engine, caller: Caller, plan_id: str, definition: tuple[str, str], asked: Circumstances
) -> Made:
    """Apply ``definition`` (type and id) to the patient of a shared plan, and store that for people to decide on.

    A proposal of the same plan that nobody has decided on is taken back; where it says the same, it stays and is the
    answer. Raises ``NotFound``, ``Gone``, ``Forbidden`` for who has no part in the plan, ``Conflict`` for one that has
    ended, ``Unprocessable`` for one that is not shared, and as ``applied``."""
    refuse_patients(caller)
    plan = loads((await current(engine, caller, PLAN, plan_id)).body)
    _require_shared(plan)
    proposal = await applied(engine, caller, definition, reference_of(plan.get("subject")) or "", asked)
    wanted = stored_proposal(proposal, f"{PLAN}/{plan_id}")
    async with unit_of_work(engine, caller) as work:
        await shared_plans.lock(await work.connection(), plan_id)
        _, plan = await _loaded(work, PLAN, plan_id)
        _require_shared(plan)
        (await _who(work, plan)).hands.require_part()
        for earlier in await _undecided(work, wanted):
            if same_offer(loads(earlier.body), wanted):
                return Made(earlier, new=False)
            await work.update(loads(earlier.body) | {"status": "revoked"}, decider=KEEPER)
            wanted.setdefault("replaces", []).append({"reference": f"{GROUP}/{earlier.id}"})
        stored = await work.create(wanted, decider=KEEPER)
        await work.commit()
    return Made(stored, new=True)


async def decide(
    engine: Engine,
    caller: Caller,
    proposal_id: str,
    asked: Sequence[Decision],
    *,
    precondition: Precondition,
    plan_id: str | None = None,
    where: Callable[[int], str] = in_list,
    provenance: Resource | None = None,
) -> Stored:
    """Decide on actions of a stored proposal (for ``plan_id``, if that is said), all or nothing; as it is then.

    What is accepted becomes an activity, what another discipline must do also an order that the referrals' service gets
    after the commit. The same decisions again change nothing. ``where`` says where each stands in what was sent.

    Raises ``NotFound``, ``Gone``, what ``precondition`` and
    ``settle`` raise, and ``Forbidden`` for a part of the plan that is another discipline's."""
    refuse_patients(caller)
    plan_id = _plan_id(loads((await current(engine, caller, GROUP, proposal_id)).body), plan_id)
    async with unit_of_work(engine, caller, provenance=provenance, cause=_cause(asked)) as work:
        await shared_plans.lock(await work.connection(), plan_id)
        stored, group = await _loaded(work, GROUP, proposal_id)
        precondition(work, stored)
        _, plan = await _loaded(work, PLAN, plan_id)
        plan = with_ids(plan, "activity")
        settlement = settle(group, plan, asked, await _who(work, plan), where)
        if settlement.group is group:
            return stored
        stored = await _store(work, plan, settlement)
        await work.commit()
    return stored


def _cause(asked: Sequence[Decision]) -> Cause:
    """Why, as the Provenance of all that changes has it."""
    return Cause("; ".join(dict.fromkeys(each.reason for each in asked if each.reason)) or None)


async def _store(work: UnitOfWork, plan: Resource, settlement: Settlement) -> Stored:
    for goal in settlement.goals:
        known = await work.load("Goal", goal["id"])
        if known is None or known.deleted:
            await work.update(goal)
    for wish in settlement.wishes:
        await work.create(wish)
    if settlement.plan is not plan:
        await work.update(settlement.plan)
    if settlement.orders:
        await _order(work, settlement)
    return await work.update(settlement.group, decider=KEEPER)


async def _order(work: UnitOfWork, settlement: Settlement) -> None:
    """Put down the orders, and the activities that will follow their Tasks."""
    connection = await work.connection()
    plan_id, proposal = settlement.plan["id"], f"{GROUP}/{settlement.group['id']}"
    asked = [(offer, recorded, _expected(recorded, settlement.plan)) for offer, recorded in settlement.orders]
    for _, _, referral in asked:
        await followed_referrals.keep(connection, plan_id, referral)
    tasks = [(referral.task, recorded.action) for _, recorded, referral in asked]
    await orders.put_down(connection, plan_id, proposal, tasks, work.now)
    _, plan = await _loaded(work, PLAN, plan_id)
    offers = {recorded.activity: offer for offer, recorded, _ in asked}
    after = with_referrals(plan, [referral for _, _, referral in asked])
    after["activity"] = [
        marked(activity, offers[activity["id"]], proposal) if activity["id"] in offers else activity
        for activity in after["activity"]
    ]
    await work.update(after, decider=KEEPER)


def _expected(recorded: Recorded, plan: Resource) -> Referral:
    """The referral before the referrals' service has told of it."""
    return Referral(
        task=recorded.task or "",
        version=0,
        patient=reference_of(plan["subject"]) or "",
        status="requested",
        service_request=recorded.service_request,
        discipline=recorded.discipline,
        owner=reference_of(recorded.owner),
    )


async def _who(work: UnitOfWork, plan: Resource) -> Who:
    """The caller as the rules see them, and the Reference that stands for them."""
    caller = work.caller
    teams = [reference_of(each) or "" for each in plan.get("careTeam") or ()]
    keys = [(type_, id_) for type_, slash, id_ in (each.partition("/") for each in teams) if slash]
    found = await resources.read_many(await work.connection(), keys) if keys else []
    related = {f"{each.type}/{each.id}": loads(each.body) for each in found if not each.deleted}
    hands = hands_of(caller, team_of(plan, related), reference_of(plan.get("subject")), work.now)
    known = caller.fhir_user or caller.organization
    return Who(hands, {"reference": known} if known else {"display": caller.role.value}, work.now)


async def _undecided(work: UnitOfWork, wanted: Resource) -> list[Stored]:
    """The proposals of the same definition for the same plan that nobody has decided on."""
    identifier = wanted["groupIdentifier"]
    asked = [("group-identifier", f"{identifier['system']}|{identifier['value']}"), ("status", "draft")]
    page = await search(await work.connection(), GROUP, asked)
    (canonical,) = wanted["instantiatesCanonical"]
    url = canonical.partition("|")[0]
    return [each for each in page.matches if _definition(loads(each.body)) == url]


def _definition(group: Resource) -> str:
    named: str = next(iter(group.get("instantiatesCanonical") or ()), "")
    return named.partition("|")[0]


async def _loaded(work: UnitOfWork, type_: str, id_: str) -> tuple[Stored, Resource]:
    stored = await work.load(type_, id_)
    if stored is None:
        raise NotFound("No such resource.")
    if stored.deleted:
        raise Gone("The resource was deleted.")
    return stored, loads(stored.body)


def _plan_id(group: Resource, wanted: str | None) -> str:
    plan = plan_of_proposal(group)
    if wanted is not None and plan != f"{PLAN}/{wanted}":
        raise NotFound("The plan has no such proposal.")
    if plan is None:
        raise Unprocessable("This is no proposal for a shared plan.", expression=("RequestGroup.extension",))
    return plan.partition("/")[2]


def _require_shared(plan: Resource) -> None:
    if not is_shared_plan(plan):
        raise Unprocessable("Proposals are made for the patient's shared plan.", expression=("CarePlan.category",))
    if plan.get("status") in TERMINAL_PLAN:
        raise Conflict("The plan has ended.", expression=("CarePlan.status",))
