"""What a decision looks at beside the resource itself: what that refers to, step by step, and what refers to it."""

from collections.abc import Awaitable, Callable

from shared.engine import Engine
from shared.fhir.json import Resource, loads
from shared.fhir.kinds import Referring, ResourceKind
from shared.fhir.search.extract import reference_term
from shared.locking import Locks
from shared.staging import Key, Staged, key_of
from shared.store import resources
from shared.store.database import Connection
from shared.store.resources import Stored


class Surroundings:
    """What a unit of work has staged and locked, and behind that the database."""

    def __init__(
        self, engine: Engine, staged: Staged, locks: Locks, flushed: Callable[[], Awaitable[Connection]]
    ) -> None:
        """``flushed``: the connection, after all that is staged has been sent over it."""
        self._engine = engine
        self._staged = staged
        self._locks = locks
        self._flushed = flushed

    async def of(
        self, kind: ResourceKind, before: Resource | None, after: Resource | None, connection: Connection | None
    ) -> dict[str, Resource]:
        """By reference, what ``kind`` asks for; what does not exist, or was deleted, is absent. None of it is locked
        for that."""
        related: dict[str, Resource] = {}
        for asked_for in kind.referring(before, after):
            related |= _present(await self._referring(asked_for))
        asked: set[str] = set()
        wanted = set(kind.related(before, after))
        while wanted:
            asked |= wanted
            related |= _present(await self._named([key_of(reference) for reference in wanted], connection))
            wanted = set(kind.further(before, after, related)) - asked
        return related

    async def _named(self, keys: list[Key], connection: Connection | None) -> list[Stored]:
        known = {key: self._staged.newest.get(key) or self._locks.get(key) for key in keys}
        found = [stored for stored in known.values() if stored is not None]
        missing = [key for key, stored in known.items() if stored is None and key[0] in self._engine.kinds]
        if missing:
            found += await resources.read_many(connection or self._engine.pool, missing)
        return found

    async def _referring(self, asked: Referring) -> list[Stored]:
        term = reference_term(*key_of(asked.target))
        return await resources.referring(await self._flushed(), asked.type, term)


def _present(found: list[Stored]) -> dict[str, Resource]:
    return {f"{stored.type}/{stored.id}": loads(stored.body) for stored in found if not stored.deleted}
