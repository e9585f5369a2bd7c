"""A change whose If-Match is stale: 412, with the current version and what differs
(http://hl7.org/fhir/R4/http.html#concurrency).

The base is the version that If-Match names, from the history; who may not read the resource is told nothing.
"""

from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy

from shared.errors import Invalid, NotSupported, PreconditionFailed, Unprocessable
from shared.fhir.difference import add_difference
from shared.fhir.etags import tags
from shared.fhir.http import Request
from shared.fhir.interactions.guards import require_match
from shared.fhir.json import Resource, loads
from shared.fhir.search.access import condition
from shared.fhir.validate import check
from shared.store import resources
from shared.store.resources import Stored
from shared.unit_of_work import UnitOfWork

Mine = Callable[[Resource], Resource]
"""What the caller wants, from the base that they saw: the same for a body, applied to it for a patch."""


async def require_unchanged(work: UnitOfWork, request: Request, stored: Stored | None, mine: Mine) -> None:
    """``require_match``, whose refusal tells what differs, where the kind of the resource can be compared."""
    try:
        require_match(request, stored)
    except PreconditionFailed as error:
        named = request.headers.get("if-match")
        if stored is None or stored.deleted or named is None or tags(named).name(stored.version):
            raise
        version = max(tags(named).versions)
        await _tell(work, error, stored, version, mine)
        raise


async def _tell(work: UnitOfWork, error: PreconditionFailed, stored: Stored, version: int, mine: Mine) -> None:
    compare = work.engine.kinds.kind(stored.type).compare
    error.version = stored.version
    if compare is None:
        return
    base = await version_of(work, stored, version)
    theirs: Resource = loads(stored.body)
    # what could not be stored is not compared, either: the answer is that it came late
    with suppress(Invalid, NotSupported, Unprocessable):
        # a patch may change what it is applied to
        sent = mine(deepcopy(theirs if base is None else base))
        check(sent)
        add_difference(error, theirs, version, compare(base, theirs, sent))


async def version_of(work: UnitOfWork, stored: Stored, version: int) -> Resource | None:
    """A past version of what ``stored`` is now; None where it is not kept, is a deletion, or was never there."""
    seen = condition(work.access, (stored.type,))
    past = await resources.vread(await work.connection(), stored.type, stored.id, version, seen=seen)
    if past is None or past.stored.deleted:
        return None
    resource: Resource = loads(past.stored.body)
    return resource
