"""Saved filters: a list and what is looked for on it, under a name; a coordinator may share theirs with the others."""

from typing import Any

from services.referrals.app.worklist import require_staff
from services.referrals.store import filters
from services.referrals.store.filters import Saved
from shared.engine import Engine
from shared.errors import Conflict, Forbidden, NotFound, PreconditionFailed, PreconditionRequired
from shared.security.caller import Caller, Role

MOST_FILTERS = 100
"""Of one caller."""
MOST_SHARED = 500
"""Of all coordinators together: each of them sees all."""


async def listed(engine: Engine, caller: Caller) -> list[Saved]:
    """The caller's own, then what others share with them. Raises ``Forbidden`` for a patient."""
    require_staff(caller)
    return await filters.listed(engine.pool, caller.subject, shared=_sees_shared(caller))


async def saved(engine: Engine, caller: Caller, name: str) -> Saved:
    """The caller's own, else the shared one of that name. Raises ``NotFound``, ``Forbidden`` for a patient."""
    require_staff(caller)
    found = await filters.find(engine.pool, caller.subject, name, shared=_sees_shared(caller))
    if found is None:
        raise NotFound("No such filter.")
    return found


async def save(
    engine: Engine, caller: Caller, name: str, wanted: dict[str, Any], *, shared: bool, seen: int | None
) -> tuple[Saved, bool]:
    """Make it (True), or change one's own, which was ``seen`` in this version. What is so already stays as it is
    (https://www.rfc-editor.org/rfc/rfc9110#section-13.1.1): a request that comes again is no conflict.

    Raises ``PreconditionRequired``, ``PreconditionFailed``, ``Conflict`` where there are too many or others share one
    of that name, ``Forbidden`` for a patient, and where others than coordinators share."""
    require_staff(caller)
    if shared and caller.role is not Role.COORDINATOR:
        raise Forbidden("Coordinators share filters with each other.", expression=("body.shared",))
    owner = caller.subject
    async with engine.pool.acquire() as connection, connection.transaction():
        await filters.lock(connection)
        before = await filters.find(connection, owner, name, shared=False)
        if before is not None and (before.wanted, before.shared) == (wanted, shared):
            return before, False
        if before is None and seen is not None:
            raise PreconditionFailed("There is no such filter any more.")
        if before is not None:
            _require_seen(before, seen)
        there = await filters.counts(connection, owner, name)
        if before is None and there.own >= MOST_FILTERS:
            raise Conflict(f"A caller has up to {MOST_FILTERS} filters.")
        if shared and there.taken:
            raise Conflict("Somebody else shares a filter of this name.", code="duplicate", expression=("body.shared",))
        if shared and there.shared >= MOST_SHARED and not (before is not None and before.shared):
            raise Conflict(f"Up to {MOST_SHARED} filters are shared.", expression=("body.shared",))
        after = Saved(name, shared, 1 if before is None else before.version + 1, wanted, engine.clock())
        await filters.keep(connection, owner, after)
        return after, before is None


async def forget(engine: Engine, caller: Caller, name: str, *, seen: int | None) -> None:
    """Delete one's own. Raises ``NotFound``, ``PreconditionFailed``, ``Forbidden`` for a patient."""
    require_staff(caller)
    async with engine.pool.acquire() as connection, connection.transaction():
        await filters.lock(connection)
        before = await filters.find(connection, caller.subject, name, shared=False)
        if before is None:
            raise NotFound("No such filter of the caller's own.")
        if seen is not None:
            _require_seen(before, seen)
        await filters.forget(connection, caller.subject, name)


def _require_seen(before: Saved, seen: int | None) -> None:
    if seen is None:
        raise PreconditionRequired("Send If-Match with the version that you have seen.")
    if seen != before.version:
        raise PreconditionFailed("The filter has changed since the version named in If-Match.")


def _sees_shared(caller: Caller) -> bool:
    return caller.role is Role.COORDINATOR
