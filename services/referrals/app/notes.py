"""Notes on a referral: read by whoever sees it, added by who takes part in it."""

from dataclasses import dataclass

from services.referrals.app.commands import Precondition, loaded
from services.referrals.app.lookup import related_for, require_view
from services.referrals.domain.notes import Note, noted, notes_of
from services.referrals.domain.parties import sides
from shared.engine import Engine
from shared.errors import Forbidden
from shared.fhir.json import loads
from shared.reading import current
from shared.security.caller import Caller
from shared.store.resources import Stored
from shared.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Notes:
    """All that was said about a referral, in order."""

    task: str
    version: int
    notes: tuple[Note, ...]


async def notes(engine: Engine, caller: Caller, task_id: str) -> Notes:
    """The notes of a referral. Raises ``NotFound`` (also where the caller may not see it) or ``Gone``."""
    stored = await current(engine, caller, "Task", task_id)
    task = loads(stored.body)
    require_view(caller, task)
    return Notes(f"Task/{task_id}", stored.version, notes_of(task))


async def add_note(work: UnitOfWork, task_id: str, text: str, precondition: Precondition) -> Stored:
    """Add a note by whose work it is, without the commit. A referral that has ended takes notes, too: how it went on,
    or why it was a mistake, is said afterwards.

    Raises ``NotFound``, ``Gone``, ``Forbidden``, what ``precondition`` raises, and ``Conflict`` for too many."""
    stored = await loaded(work, "Task", task_id)
    task = loads(stored.body)
    require_view(work.caller, task)
    precondition(work, stored)
    # the rules would take somebody to whom it is only offered for one who gives that back, and say so
    related = await related_for(await work.connection(), task, work.caller)
    if not sides(task, work.caller, related):
        raise Forbidden("The caller is neither requester nor owner of this referral.")
    return await work.update(noted(task, (text,), work.caller, work.now, related))
