"""``CarePlan/$diff``: what tells one version of a plan from another, and who brought it."""

from dataclasses import dataclass

from services.careplans.app.timeline import accounts_of
from services.careplans.domain.accounts import UNKNOWN
from services.careplans.domain.identity import with_ids_if_unique
from services.careplans.domain.versions import Change, Version, changes
from shared.clock import instant
from shared.engine import Engine
from shared.errors import Gone, Invalid, NotFound
from shared.fhir.json import Resource, loads
from shared.fhir.search.access import condition
from shared.reading import current
from shared.security.caller import Caller
from shared.store import resources
from shared.store.condition import Condition
from shared.store.resources import Stored

MOST_VERSIONS = 200
"""Versions of which it is told who brought what; of older ones in a longer stretch it is only seen that they did."""


@dataclass(frozen=True, slots=True)
class Differences:
    """What tells the version ``last`` from the version ``first``."""

    first: int
    last: int
    changes: tuple[Change, ...]


async def differences_between(
    engine: Engine, caller: Caller, plan_id: str, first: int, last: int | None
) -> Differences:
    """``last`` is the current version where it is not given.

    Raises ``NotFound`` for a plan or a version that is not there (any more), ``Gone`` for a deletion, ``Invalid`` for
    versions the wrong way round."""
    newest = await current(engine, caller, "CarePlan", plan_id)
    last = newest.version if last is None else last
    if last > newest.version:
        raise NotFound("No such version.", expression=("to",))
    if first > last:
        raise Invalid("The first version is not newer than the last.", code="value", expression=("from",))
    seen = condition(engine.access(caller), ("CarePlan",))
    limit = min(last - first, MOST_VERSIONS) + 1
    found = await resources.history(engine.pool, "CarePlan", plan_id, below=last + 1, limit=limit, seen=seen)
    stretch = [past.stored for past in reversed(found) if past.stored.version >= first]
    if not stretch or stretch[-1].version != last:
        raise NotFound("This version is not kept.", expression=("to",))
    start = stretch[0] if stretch[0].version == first else await _first(engine, plan_id, first, seen)
    accounts = await accounts_of(engine, caller, stretch)
    between = [
        Version(
            each.version,
            instant(each.last_updated),
            None if each.deleted else _plan(each),
            accounts.get(f"CarePlan/{each.id}/_history/{each.version}", UNKNOWN),
        )
        for each in stretch
    ]
    return Differences(first, last, tuple(changes(_plan(start), _plan(stretch[-1]), between)))


async def _first(engine: Engine, plan_id: str, version: int, seen: Condition | None) -> Stored:
    past = await resources.vread(engine.pool, "CarePlan", plan_id, version, seen=seen)
    if past is None:
        raise NotFound("This version is not kept, or never was.", expression=("from",))
    return past.stored


def _plan(stored: Stored) -> Resource:
    if stored.deleted:
        raise Gone("This version is the deletion.")
    return with_ids_if_unique(loads(stored.body), "activity")
