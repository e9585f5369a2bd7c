"""What people do with a referral beside writing its Task over FHIR: load, change, let the rules decide, save."""

from services.referrals.domain.referral import is_referral
from services.referrals.domain.step import Step, stepped
from shared.engine import Engine
from shared.errors import Gone, NotFound, PreconditionRequired
from shared.fhir.json import loads
from shared.security.caller import Caller, Role
from shared.store.resources import Stored
from shared.unit_of_work import unit_of_work


async def take_step(engine: Engine, caller: Caller, task_id: str, step: Step, *, if_match: int | None) -> Stored:
    """Take one step with a referral; the new version.

    Raises ``NotFound``, ``Gone``, ``PreconditionRequired`` (people name the version they saw), ``PreconditionFailed``,
    and what the rules raise."""
    if if_match is None and caller.role is not Role.SYSTEM:
        raise PreconditionRequired("Send If-Match with the version that you have seen.")
    async with unit_of_work(engine, caller) as work:
        stored = await work.load("Task", task_id)
        if stored is None:
            raise NotFound("No such referral.")
        if stored.deleted:
            raise Gone("The referral was deleted.")
        task = loads(stored.body)
        if not is_referral(task):
            raise NotFound("No such referral.")
        changed = await work.update(stepped(task, step), if_match=if_match)
        await work.commit()
    return changed
