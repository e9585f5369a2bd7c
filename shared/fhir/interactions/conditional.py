"""Conditional create: search and create as one step, also under concurrency (http://hl7.org/fhir/R4/http.html#ccreate).

Two conditional creates of one type wait for each other (a transaction-level advisory lock), so that what the second one
searches includes what the first one made.
"""

from shared.errors import Invalid, PreconditionFailed
from shared.fhir.http import form
from shared.fhir.search import matches
from shared.store.indexing import term
from shared.store.resources import Stored
from shared.unit_of_work import UnitOfWork


async def existing(work: UnitOfWork, type_: str, criteria: str, *, base: str) -> Stored | None:
    """The one resource that matches ``criteria`` (``identifier=system|value``), None for none.

    Raises ``PreconditionFailed`` for several, ``Invalid`` for criteria that select nothing in particular."""
    await wait_turn(work, type_)
    connection = await work.connection()
    await work.flush()
    parameters = criteria_of(type_, criteria)
    if not parameters:
        raise Invalid("The criteria are empty.", code="value")
    found = await matches(connection, type_, parameters, base=base, limit=2)
    if len(found) > 1:
        raise PreconditionFailed("Several resources match the criteria.", code="multiple-matches")
    return found[0] if found else None


def criteria_of(type_: str, criteria: str) -> list[tuple[str, str]]:
    """The criteria as search parameters; they may begin with ``?`` or the type. Raises ``Invalid``."""
    return form(criteria.removeprefix("?").removeprefix(f"{type_}?"))


async def wait_turn(work: UnitOfWork, type_: str) -> None:
    """Hold the lock of conditional creates of ``type_`` until the end of the transaction."""
    connection = await work.connection()
    await connection.execute("SELECT pg_advisory_xact_lock($1)", term("conditional", type_))
