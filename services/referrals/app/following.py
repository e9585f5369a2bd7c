"""Keep how each referral stands, and what happened to it, in the transaction that changes its Task."""

from collections.abc import Sequence
from datetime import datetime

from services.referrals.app.place import calendar_of_place
from services.referrals.domain.events import ReferralChanged
from services.referrals.domain.references import content, target
from services.referrals.domain.referral import is_referral, known_as
from services.referrals.domain.standing import Standing, follows
from services.referrals.domain.states import state_of
from services.referrals.domain.transitions import Happened
from services.referrals.store import referrals
from services.referrals.store.moments import Moment
from shared.engine import Changed, Projection
from shared.fhir.json import Resource
from shared.security.caller import Caller
from shared.store.database import Connection

DRAFTED, DELETED = "drafted", "deleted"
"""What is no step of the tables, and belongs into the history all the same."""


async def follow(connection: Connection, changes: Sequence[Changed], caller: Caller) -> None:
    """Put down what ``changes`` by ``caller`` mean to referrals."""
    changes = [changed for changed in changes if _concerns(changed)]
    older = [changed.stored.id for changed in changes if changed.before is not None]
    known: dict[str, Standing] = await referrals.lock(connection, older) if older else {}
    calendar = calendar_of_place()
    gone: set[str] = set()
    happened: list[Moment] = []
    for changed in changes:
        task, at = changed.stored.id, changed.stored.last_updated
        told = next((fact.happened for fact in changed.facts if isinstance(fact, ReferralChanged)), None)
        if changed.after is None or not is_referral(changed.after):
            gone.add(task)
            known.pop(task, None)
        else:
            gone.discard(task)
            before = None if changed.before is None else known_as(changed.before)
            known[task] = follows(known.get(task), before, changed.after, told, at, calendar)
        moment = _moment(changed, told, caller, at)
        if moment is not None:
            happened.append(moment)
    await referrals.forget(connection, sorted(gone))
    await referrals.keep(connection, list(known.values()), happened)


def _concerns(changed: Changed) -> bool:
    return any(version is not None and is_referral(version) for version in (changed.before, changed.after))


def _moment(changed: Changed, told: Happened | None, caller: Caller, at: datetime) -> Moment | None:
    task = changed.after or changed.before or {}
    if not is_referral(task):
        return None
    who, stored = caller.fhir_user or caller.subject, changed.stored
    if told is None and changed.before and changed.after and content(changed.before) == content(changed.after):
        return None
    if changed.after is None:
        return Moment(stored.id, stored.version, at, DELETED, None, None, None, None, who, caller.role)
    what = told or (DRAFTED if changed.before is None else Happened.UPDATED)
    state = state_of(task)
    owner = target(task.get("owner"))
    return Moment(
        stored.id, stored.version, at, what, state.status, state.business, _reason(task), owner, who, caller.role
    )


def _reason(task: Resource) -> str | None:
    text: str | None = (task.get("statusReason") or {}).get("text")
    return text


FOLLOWING = Projection(frozenset({"Task"}), follow)
"""Tasks, as the service's own tables follow them."""
