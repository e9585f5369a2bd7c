"""The facts of the domain: what happened to a referral, and how it stands afterwards."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.referrals.domain.broadcast import offered
from services.referrals.domain.clocks import Addressee, Stage
from services.referrals.domain.marks import acknowledged, returned
from services.referrals.domain.milestones import Wait
from services.referrals.domain.references import content, target
from services.referrals.domain.referral import outputs
from services.referrals.domain.states import ENTERED_IN_ERROR, opened, state_of, steps
from services.referrals.domain.task_elements import RESULTS
from services.referrals.domain.transitions import Happened, State
from shared.fhir.json import Resource

UNTOLD = frozenset({"draft", ENTERED_IN_ERROR})
"""Nobody has heard of a draft, and a mistake is told once: new content, or a deletion, tells nothing there."""


@dataclass(frozen=True, slots=True)
class ReferralChanged:
    """One change of one referral. References are relative."""

    happened: Happened
    state: State
    previous: State | None
    service_request: str | None
    patient: str | None
    discipline: str | None
    requester: str | None
    owner: str | None
    outputs: tuple[str, ...]
    authored_on: str | None = None
    """When it was asked for."""
    offered: tuple[str, ...] = ()
    """To whom an open one is offered."""
    withdrawn: tuple[str, ...] = ()
    """To whom it is not offered any more, without their doing."""


@dataclass(frozen=True, slots=True)
class ClockFired:
    """A stage of a referral's clock. References are relative."""

    stage: Stage
    passed_over: tuple[Stage, ...]
    """Stages before it that were due as well, and are not told any more."""
    wait: Wait
    addressee: Addressee
    waits_since: datetime
    due_at: datetime
    planned_at: datetime
    at: datetime
    late: bool
    service_request: str | None
    patient: str | None
    discipline: str | None
    requester: str | None
    owner: str | None
    offered: tuple[str, ...] = ()


class Telling(StrEnum):
    """What people must hear of an exchange with another system."""

    GIVEN_UP = "exchange-given-up"
    """The other side could not be asked, or did not answer, for too long."""
    CONFLICT = "exchange-conflict"
    """Both sides had moved apart, and the other side's word stands."""


@dataclass(frozen=True, slots=True)
class ExchangeTold:
    """Something to tell of a referral that is carried on with another system. References are relative."""

    what: Telling
    trouble: str | None
    """A code: why it was given up."""
    endpoint: str
    state: State
    at: datetime
    service_request: str | None
    patient: str | None
    requester: str | None
    owner: str | None


def happened_between(before: Resource | None, after: Resource) -> Happened | None:
    """What a legal change means: one thing for a transition, something for new content, nothing for the same again."""
    goal = state_of(after)
    if before is None:
        return opened(goal, imported=True)
    source = state_of(before)
    rows = steps(source, goal)
    if len(rows) > 1:  # 31 and 32 share their states: a new document is a note, else it is the visit
        return Happened.INTERIM_NOTE if _new_documents(before, after) else Happened.SCHEDULED
    if source != goal:  # without a row: the word of another system, or a history older than the table
        return rows[0].happened if rows else (opened(goal, imported=True) or Happened.UPDATED)
    if content(before) == content(after) or goal.status in UNTOLD:
        return None
    news = any(before.get(element) != after.get(element) for element in RESULTS)
    return rows[0].happened if rows and news else _marked(before, after)


def _marked(before: Resource, after: Resource) -> Happened:
    """What it means that the state stays: a mark that was set or taken, or something else."""
    if acknowledged(after) != acknowledged(before):
        return Happened.CLOSED
    if returned(after) != returned(before):
        return Happened.RETURNED if returned(after) else Happened.ANSWERED
    return Happened.UPDATED


def _new_documents(before: Resource, after: Resource) -> bool:
    new = set(outputs(after)) - set(outputs(before))
    return any(not reference.startswith("Appointment/") for reference in new)


def changed(
    happened: Happened,
    task: Resource,
    previous: State | None,
    discipline: str | None,
    withdrawn: tuple[str, ...] = (),
) -> ReferralChanged:
    """The fact that ``happened`` to the referral ``task`` as it is now."""
    return ReferralChanged(
        happened=happened,
        state=state_of(task),
        previous=previous,
        service_request=target(task.get("focus")),
        patient=target(task.get("for")),
        discipline=discipline,
        requester=target(task.get("requester")),
        owner=target(task.get("owner")),
        outputs=outputs(task),
        authored_on=task.get("authoredOn"),
        offered=offered(task),
        withdrawn=withdrawn,
    )


def removed(task: Resource, discipline: str | None) -> ReferralChanged:
    """The fact that a referral was deleted: for everybody else it was a mistake."""
    before = state_of(task)
    gone = {**task, "status": ENTERED_IN_ERROR}
    return changed(Happened.ENTERED_IN_ERROR, gone, before, discipline, offered(task))
