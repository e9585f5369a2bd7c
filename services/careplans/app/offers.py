"""Proposals for a shared plan, as people who coordinate see them: what is offered, decided, and became of it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from services.careplans.app.queries import require_view
from services.careplans.domain.applying.extensions import CONSIDERED, NEEDS, extensions
from services.careplans.domain.applying.proposal import Outcome
from services.careplans.domain.codes import SHARED_PLAN_IDENTIFIER, extension_value, reference_of
from services.careplans.domain.proposals.activity import going_on
from services.careplans.domain.proposals.offered import Offered, offered, plan_of_proposal
from services.careplans.domain.proposals.recorded import Recorded, latest
from services.careplans.store import orders
from shared.engine import Engine
from shared.errors import NotFound
from shared.fhir.json import Resource, loads
from shared.fhir.search import search
from shared.reading import current
from shared.security.caller import Caller
from shared.store.resources import Stored

MOST = "50"
"""Proposals of a plan, the newest first."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision. ``referral`` is how the order stands: waiting, made or refused."""

    decision: str
    reason: str | None
    patient: bool
    """Of what was declined: the patient did."""
    description: str | None
    """What people made of the proposed text."""
    by: str | None
    at: str
    activity: str | None
    task: str | None
    referral: str | None


@dataclass(frozen=True, slots=True)
class Offer:
    """One action to decide on. ``rivals`` are the other parts of a choice of one."""

    action: str
    title: str
    reason: str
    kind: str
    discipline: str | None
    definition: str | None
    goals: tuple[str, ...]
    rivals: tuple[str, ...]
    in_plan: bool
    """The plan has this treatment, and it has not ended: to accept it once more needs a reason."""
    decided: Decided | None


@dataclass(frozen=True, slots=True)
class NotOffered:
    """An action of the plan that is not proposed, and why."""

    action: str
    title: str
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True)
class ProposalView:
    """One proposal. ``needs`` is data that was missing."""

    id: str
    version: int
    definition: str
    title: str | None
    status: str
    authored: str
    offers: tuple[Offer, ...]
    not_offered: tuple[NotOffered, ...]
    needs: tuple[str, ...]
    notes: tuple[str, ...]


async def proposals_of(engine: Engine, caller: Caller, plan_id: str) -> list[ProposalView]:
    """The newest proposals for a plan: three statements. Raises ``NotFound`` or ``Gone``."""
    plan: Resource = loads((await current(engine, caller, "CarePlan", plan_id)).body)
    require_view(caller, reference_of(plan.get("subject")))
    asked = [
        ("group-identifier", f"{SHARED_PLAN_IDENTIFIER}|{plan_id}"),
        *(("_sort", "-authored"), ("_count", MOST)),
    ]
    page = await search(engine.pool, "RequestGroup", asked, access=engine.access(caller), clock=engine.clock)
    return await _views(engine, page.matches, plan)


async def proposal(engine: Engine, caller: Caller, plan_id: str, proposal_id: str) -> ProposalView:
    """One proposal for a plan. Raises ``NotFound`` or ``Gone``."""
    plan: Resource = loads((await current(engine, caller, "CarePlan", plan_id)).body)
    require_view(caller, reference_of(plan.get("subject")))
    stored = await current(engine, caller, "RequestGroup", proposal_id)
    if plan_of_proposal(loads(stored.body)) != f"CarePlan/{plan_id}":
        raise NotFound("The plan has no such proposal.")
    (view,) = await _views(engine, [stored], plan)
    return view


async def proposal_view(engine: Engine, caller: Caller, plan_id: str, stored: Stored) -> ProposalView:
    """One proposal for the plan that was read already. Raises ``NotFound`` or ``Gone`` for the plan."""
    plan: Resource = loads((await current(engine, caller, "CarePlan", plan_id)).body)
    (view,) = await _views(engine, [stored], plan)
    return view


async def _views(engine: Engine, found: Iterable[Stored], plan: Resource) -> list[ProposalView]:
    listed = list(found)
    states = await orders.states(engine.pool, [f"RequestGroup/{each.id}" for each in listed])
    return [_view(each, plan, states) for each in listed]


def _view(stored: Stored, plan: Resource, states: dict[str, str]) -> ProposalView:
    group: Resource = loads(stored.body)
    known = latest(group)
    return ProposalView(
        id=stored.id,
        version=stored.version,
        definition=group["instantiatesCanonical"][0],
        title=(group.get("code") or {}).get("text"),
        status=group["status"],
        authored=group["authoredOn"],
        offers=tuple(_offer(each, plan, known.get(id_), states) for id_, each in offered(group).items()),
        not_offered=tuple(_not_offered(group)),
        needs=tuple(each["valueString"] for each in extensions(group, NEEDS)),
        notes=tuple(note["text"] for note in group.get("note") or ()),
    )


def _offer(offer: Offered, plan: Resource, recorded: Recorded | None, states: dict[str, str]) -> Offer:
    return Offer(
        action=offer.id,
        title=offer.title,
        reason=offer.reason,
        kind=offer.request["resourceType"],
        discipline=offer.discipline,
        definition=offer.definition,
        goals=offer.goals,
        rivals=offer.rivals,
        in_plan=going_on(plan, offer.definition),
        decided=None if recorded is None else _decided(recorded, states),
    )


def _decided(recorded: Recorded, states: dict[str, str]) -> Decided:
    return Decided(
        decision=recorded.decision,
        reason=recorded.reason,
        patient=recorded.patient is True,
        description=recorded.description,
        by=reference_of(recorded.by) or recorded.by.get("display"),
        at=recorded.at,
        activity=recorded.activity,
        task=recorded.task,
        referral=states.get(recorded.task or ""),
    )


def _not_offered(group: Resource) -> Iterator[NotOffered]:
    for account in extensions(group, CONSIDERED):
        outcome = extension_value(account, "outcome")
        if outcome != Outcome.PROPOSED:
            action, title, reason = (extension_value(account, name) for name in ("action", "title", "reason"))
            yield NotOffered(action, title, outcome, reason)
