"""Conditional writes: search and write as one step, also under concurrency (http://hl7.org/fhir/R4/http.html#ccreate).

All conditional writes of one type wait for each other (a transaction-level advisory lock), so that what the second one
searches includes what the first one made. Plain writes do not wait: what was found is locked, and looked at again where
it has changed meanwhile.
"""

from collections.abc import Sequence

from shared.errors import Conflict, Invalid, PreconditionFailed
from shared.fhir.http import form, legal_id
from shared.fhir.json import Resource
from shared.fhir.search import matches
from shared.store.indexing import term
from shared.store.resources import Stored
from shared.unit_of_work import UnitOfWork

MOST_DELETED = 1_000
"""What one conditional delete may take along."""
_CHANGED = "What the criteria match was changed by somebody else at the same moment; try again."


async def existing(work: UnitOfWork, type_: str, criteria: str, *, base: str) -> Stored | None:
    """The one resource that matches ``criteria`` (``identifier=system|value``), None for none; not locked.

    Raises ``PreconditionFailed`` for several, ``Invalid`` for criteria that select nothing in particular."""
    found = await matching(work, type_, criteria, base=base, limit=1)
    return found[0] if found else None


async def matching(
    work: UnitOfWork, type_: str, criteria: str, *, base: str, limit: int, in_turn: bool = False
) -> list[Stored]:
    """What matches ``criteria``, in turn, by id; not locked. ``in_turn``: it is our turn already.

    Raises ``PreconditionFailed`` for more than ``limit``."""
    if not in_turn:
        await wait_turn(work, type_)
    connection = await work.connection()
    await work.flush()
    parameters = criteria_of(type_, criteria)
    if not parameters:
        raise Invalid("The criteria are empty.", code="value")
    found = await matches(connection, type_, parameters, base=base, access=work.access, limit=limit + 1)
    if len(found) > limit:
        raise PreconditionFailed("Several resources match the criteria.", code="multiple-matches")
    return sorted(found, key=lambda stored: stored.id)


async def hold(
    work: UnitOfWork, found: Sequence[Stored], type_: str, criteria: str, *, base: str, to_delete: bool = False
) -> None:
    """Lock what ``matching`` found. Raises ``Conflict`` where the criteria match something else by now."""
    await work.lock_all(((stored.type, stored.id) for stored in found), to_delete=to_delete)
    held = [await work.load(stored.type, stored.id, to_delete=to_delete) for stored in found]
    if all(now is not None and now.version == before.version for now, before in zip(held, found, strict=True)):
        return
    again = await matching(work, type_, criteria, base=base, limit=len(found))
    if [stored.id for stored in again] != [stored.id for stored in found]:
        raise Conflict(_CHANGED)


def id_for(work: UnitOfWork, found: Stored | None, resource: Resource) -> str:
    """Under which id a conditional update saves ``resource`` (http://hl7.org/fhir/R4/http.html#cond-update).

    Raises ``Invalid`` where its id is not that of what was ``found``, or no id."""
    given = resource.get("id")
    where = (f"{resource['resourceType']}.id",)
    if found is not None:
        if given is not None and given != found.id:
            raise Invalid("The body's id is not that of the match.", code="invalid", expression=where)
        return found.id
    if given is None:
        return work.engine.new_id(resource["resourceType"])
    if not isinstance(given, str) or not legal_id(given):
        raise Invalid("The body's id is not a FHIR id.", code="value", expression=where)
    return given


async def require_free(work: UnitOfWork, type_: str, id_: str) -> None:
    """Raises ``Conflict`` where the id that a body brings is that of a resource which its criteria do not match."""
    stored = await work.load(type_, id_)
    if stored is not None and not stored.deleted:
        text = "The body's id is that of another resource, which the criteria do not match."
        raise Conflict(text, code="duplicate", expression=(f"{type_}.id",))


def criteria_of(type_: str, criteria: str) -> list[tuple[str, str]]:
    """The criteria as search parameters; they may begin with ``?`` or the type. Raises ``Invalid``."""
    return form(criteria.removeprefix("?").removeprefix(f"{type_}?"))


async def wait_turn(work: UnitOfWork, type_: str) -> None:
    """Hold the lock of conditional writes of ``type_`` until the end of the transaction."""
    connection = await work.connection()
    await connection.execute("SELECT pg_advisory_xact_lock($1)", term("conditional", type_))
