"""The current version of one resource, for a caller."""

from shared.engine import Engine
from shared.errors import Gone, NotFound
from shared.fhir.search.access import condition
from shared.security.caller import Caller
from shared.store import resources
from shared.store.resources import Stored


async def current(engine: Engine, caller: Caller, type_: str, id_: str) -> Stored:
    """The current version, for reading by ``caller``.

    Raises ``NotFound`` (never there, not to be seen, or a type of others) or ``Gone``."""
    engine.kinds.kind(type_)
    seen = condition(engine.access(caller), (type_,))
    if seen is None:
        stored = await engine.reader.read(type_, id_)
    else:
        stored = await resources.read(engine.pool, type_, id_, seen=seen)
    if stored is None:
        raise NotFound("No such resource.")
    if stored.deleted:
        raise Gone("The resource was deleted.")
    return stored
