"""What every use case of one referral looks at first: whether the caller sees it, and what its rules need beside it."""

from collections.abc import Iterable

from services.referrals.domain import task as task_rules
from services.referrals.domain.notes import author_of
from services.referrals.domain.references import target
from services.referrals.domain.referral import is_referral
from shared.errors import NotFound
from shared.fhir.json import Resource, loads
from shared.security.caller import Caller, Role
from shared.store import resources
from shared.store.database import Connection, Pool


def require_view(caller: Caller, task: Resource) -> None:
    """Patients see their own referrals; for them that of another does not exist. Raises ``NotFound``."""
    own = caller.role is not Role.PATIENT or caller.fhir_user in (target(task.get("for")), target(task.get("owner")))
    if not own or not is_referral(task):
        raise NotFound("No such referral.")


def require_view_of_order(caller: Caller, order: Resource) -> None:
    """The same of an order."""
    if caller.role is Role.PATIENT and target(order.get("subject")) != caller.fhir_user:
        raise NotFound("No such order.")


async def related_to(connection: Connection | Pool, *tasks: Resource) -> dict[str, Resource]:
    """What the rules of ``tasks`` want to see, by reference."""
    return await found(connection, {reference for task in tasks for reference in task_rules.related(None, task)})


async def related_for(connection: Connection, task: Resource, caller: Caller) -> dict[str, Resource]:
    """The same of one, and whom ``caller`` is, who has something to say about it."""
    author = author_of(caller)
    return await found(connection, {*task_rules.related(None, task), *([author] if "/" in author else ())})


async def found(connection: Connection | Pool, wanted: Iterable[str]) -> dict[str, Resource]:
    """Those of ``wanted``, relative references, that are there, whoever may see them: for rules."""
    keys = [(type_, id_) for type_, _, id_ in (reference.partition("/") for reference in sorted(wanted))]
    there = await resources.read_many(connection, keys) if keys else []
    return {f"{stored.type}/{stored.id}": loads(stored.body) for stored in there if not stored.deleted}
