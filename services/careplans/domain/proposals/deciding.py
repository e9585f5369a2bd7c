"""What decisions on a proposal make of it, of the plan, and of whom else."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.careplans.domain.applying.preferences import declined
from services.careplans.domain.codes import DISCIPLINE_DISPLAY, OWN_ELEMENT
from services.careplans.domain.hands import Hands
from services.careplans.domain.proposals.activity import activity_of, going_on
from services.careplans.domain.proposals.goals import accepted_goal, goal_ids
from services.careplans.domain.proposals.offered import Offered, goals_of, offered
from services.careplans.domain.proposals.order import id_of
from services.careplans.domain.proposals.recorded import Answer, Recorded, as_extension, latest
from services.careplans.domain.states import TERMINAL_PLAN
from shared.errors import Conflict, Unprocessable
from shared.fhir.json import Resource

OPEN = frozenset({"draft", "active", "completed"})
"""Statuses of a proposal in which it is decided on: what was declined may be accepted later."""
OWNERS = ("Practitioner", "PractitionerRole", "Organization", "HealthcareService")


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decides on one action."""

    action: str
    answer: Answer
    reason: str | None = None
    """Why; whoever declines, changes the text, or accepts what is in the plan already, says so."""
    patient: bool = False
    """Of what is declined: the patient does, and will not be offered it again."""
    description: str | None = None
    """The text in place of the proposed one."""
    discipline: str | None = None
    """Whose the activity becomes, where the treatment is nobody's in particular."""
    priority: str | None = None
    owner: str | None = None
    """Who is asked (a reference); None leaves that to triage."""
    refer: bool | None = None
    """Whether another discipline is asked by a referral; None: as ``refers`` has it."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """What is to be stored. ``group`` and ``plan`` are the same objects where nothing changes."""

    group: Resource
    plan: Resource
    goals: tuple[Resource, ...] = ()
    """New ones, with ids."""
    wishes: tuple[Resource, ...] = ()
    """Observations of what the patient declined."""
    orders: tuple[tuple[Offered, Recorded], ...] = ()
    """What others are asked for."""


@dataclass(frozen=True, slots=True)
class Who:
    """Who decides, on what, when. ``name`` is the Reference that stands for the person."""

    hands: Hands
    name: Resource
    now: datetime


def refers(discipline: str | None, kind: str, hands: Hands) -> bool:
    """Whether another discipline must act, so that a referral asks it.

    A clinician asks the two others; who coordinates asks for services, and leaves medicines to the prescriber."""
    if discipline not in DISCIPLINE_DISPLAY:
        return False
    if hands.disciplines is None:
        return kind == "ServiceRequest"
    return discipline not in hands.disciplines


def in_list(place: int) -> str:
    """Where a decision stands in what was sent over REST."""
    return f"decisions[{place}]"


def settle(
    group: Resource, plan: Resource, asked: Sequence[Decision], who: Who, where: Callable[[int], str] = in_list
) -> Settlement:
    """What ``asked`` makes of the stored proposal ``group`` for the shared ``plan``. The same twice changes nothing.

    Raises ``Forbidden`` for who has no part in the plan; ``Conflict`` where proposal or plan have ended, or an action
    is decided otherwise already; ``Unprocessable`` for an unknown action, a missing reason, or two parts of a choice
    of one."""
    who.hands.require_part()
    offers = offered(group)
    known = latest(group)
    fresh: list[tuple[Offered, Recorded]] = []
    for place, decision in enumerate(asked):
        path = where(place)
        offer = offers.get(decision.action)
        if offer is None:
            text = "The proposal has no such action to decide on."
            raise Unprocessable(text, code="not-found", expression=(f"{path}.action",))
        recorded = _recorded(decision, offer, group, who, path)
        if _said_before(known.get(offer.id), recorded, path):
            continue
        if recorded.accepted:
            _check_accepting(offer, decision, plan, known, path)
        known[offer.id] = recorded
        fresh.append((offer, recorded))
    if not fresh:
        return Settlement(group, plan)
    if group.get("status") not in OPEN or plan.get("status") in TERMINAL_PLAN:
        raise Conflict("The proposal, or its plan, has ended.", expression=("RequestGroup.status",))
    return _settled(group, plan, offers, known, fresh, who)


def _recorded(decision: Decision, offer: Offered, group: Resource, who: Who, where: str) -> Recorded:
    _check_reason(decision, where)
    at = who.now.isoformat(timespec="seconds")
    told = Recorded(offer.id, decision.answer.value, at, who.name, decision.reason)
    if decision.answer is Answer.DECLINE:
        return replace(told, patient=decision.patient)
    discipline = offer.discipline if offer.discipline in DISCIPLINE_DISPLAY else decision.discipline
    refer = refers(discipline, offer.request["resourceType"], who.hands) if decision.refer is None else decision.refer
    if refer and discipline not in DISCIPLINE_DISPLAY:
        text = f"Only these disciplines are asked by a referral: {', '.join(DISCIPLINE_DISPLAY)}."
        raise Unprocessable(text, expression=(f"{where}.refer",))
    proposal = f"RequestGroup/{group['id']}"
    task, order = (id_of(proposal, offer.id, type_) for type_ in ("Task", "ServiceRequest"))
    return replace(
        told,
        description=decision.description,
        discipline=discipline,
        priority=decision.priority or offer.request.get("priority"),
        owner=None if decision.owner is None else {"reference": decision.owner},
        # the plan knows the activities of referrals by their Task
        activity=OWN_ELEMENT + task if refer else f"proposal-{id_of(proposal, offer.id, 'activity')}",
        task=f"Task/{task}" if refer else None,
        service_request=f"ServiceRequest/{order}" if refer else None,
    )


def _check_reason(decision: Decision, where: str) -> None:
    changes = decision.answer is Answer.DECLINE or decision.description is not None
    if changes and not (decision.reason or "").strip():
        text = "Whoever declines or changes what is proposed says why."
        raise Unprocessable(text, code="required", expression=(f"{where}.reason",))


def _said_before(known: Recorded | None, recorded: Recorded, where: str) -> bool:
    """Whether it is the same decision again, by whomever and whenever. Raises ``Conflict`` for another one on what was
    accepted: that is in the plan, and changes there."""
    if known is None:
        return False
    same = replace(recorded, at=known.at, by=known.by) == known
    if known.accepted and not same:
        text = "This action was accepted already: its activity in the plan is what changes now."
        raise Conflict(text, expression=(f"{where}.action",))
    return same


def _check_accepting(
    offer: Offered, decision: Decision, plan: Resource, known: Mapping[str, Recorded], where: str
) -> None:
    if any(rival in known and known[rival].accepted for rival in offer.rivals):
        text = "Only one part of this choice is taken, and another one was."
        raise Unprocessable(text, expression=(f"{where}.action",))
    if going_on(plan, offer.definition) and not (decision.reason or "").strip():
        text = "The plan has this treatment already: say why once more."
        raise Unprocessable(text, code="duplicate", expression=(f"{where}.reason",))


def _settled(
    group: Resource,
    plan: Resource,
    offers: Mapping[str, Offered],
    known: Mapping[str, Recorded],
    fresh: Sequence[tuple[Offered, Recorded]],
    who: Who,
) -> Settlement:
    proposal = f"RequestGroup/{group['id']}"
    accepted = [(offer, recorded) for offer, recorded in fresh if recorded.accepted]
    wanted = dict.fromkeys(goal for offer, _ in accepted for goal in offer.goals)
    references = goal_ids(proposal, wanted)
    named = {each.get("reference") for each in plan.get("goal") or ()}
    drafts = goals_of(group)
    goals = tuple(
        accepted_goal(drafts[goal], references[goal], who.now)
        for goal in wanted
        if f"Goal/{references[goal]}" not in named
    )
    own = [
        activity_of(offer, recorded, proposal, [f"Goal/{references[goal]}" for goal in offer.goals])
        for offer, recorded in accepted
        if recorded.task is None
    ]
    return Settlement(
        group=_decided(group, offers, known, fresh),
        plan=_grown(plan, own, [f"Goal/{goal['id']}" for goal in goals], begins=bool(accepted)),
        goals=goals,
        wishes=tuple(_wishes(fresh, who.now)),
        orders=tuple((offer, recorded) for offer, recorded in accepted if recorded.task is not None),
    )


def _grown(plan: Resource, activities: Sequence[Resource], goals: Sequence[str], *, begins: bool) -> Resource:
    after = dict(plan)
    if activities:
        after["activity"] = [*(plan.get("activity") or ()), *activities]
    if goals:
        after["goal"] = [*(plan.get("goal") or ()), *({"reference": goal} for goal in goals)]
    if begins and plan.get("status") == "draft":
        after["status"] = "active"
    return after if after != plan else plan


def _decided(
    group: Resource,
    offers: Mapping[str, Offered],
    known: Mapping[str, Recorded],
    fresh: Sequence[tuple[Offered, Recorded]],
) -> Resource:
    told = [as_extension(recorded) for _, recorded in fresh]
    taken = {id_ for id_, recorded in known.items() if recorded.accepted}
    settled = all(id_ in known or not taken.isdisjoint(offer.rivals) for id_, offer in offers.items())
    status = "completed" if settled else "active"
    return group | {"extension": [*group["extension"], *told], "status": status}


def _wishes(fresh: Iterable[tuple[Offered, Recorded]], now: datetime) -> Iterable[Resource]:
    for offer, recorded in fresh:
        if recorded.patient and offer.treatment:
            subject = (offer.request.get("subject") or offer.request["for"])["reference"]
            yield declined(offer.treatment, offer.title, subject, recorded.by, recorded.reason or "", now)
