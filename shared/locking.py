"""The rows that a unit of work holds until it ends, and how each was when it was locked."""

from collections.abc import Awaitable, Callable, Iterable

from shared.fhir.search.access import Access, condition
from shared.staging import Key
from shared.store import resources
from shared.store.database import Connection
from shared.store.resources import Stored


class Locks:
    """Versions by key. What ``access`` hides is None, as what is not there, and in ``hidden``."""

    def __init__(self, access: Access, connection: Callable[[], Awaitable[Connection]]) -> None:
        self._access = access
        self._connection = connection
        self._found: dict[Key, Stored | None] = {}
        self._to_delete: set[Key] = set()
        """What is locked against new references, too."""
        self.hidden: set[Key] = set()

    def __contains__(self, key: Key) -> bool:
        return key in self._found

    def get(self, key: Key) -> Stored | None:
        """The version that was locked."""
        return self._found.get(key)

    async def take(self, keys: Iterable[Key], *, to_delete: bool = False) -> None:
        """Lock those of ``keys`` that are not yet, in one round trip, in an order that is the same for all who come."""
        wanted = [key for key in dict.fromkeys(keys) if key not in (self._to_delete if to_delete else self._found)]
        if not wanted:
            return
        seen = condition(self._access, [type_ for type_, _ in wanted])
        found = await resources.lock(await self._connection(), wanted, to_delete=to_delete, seen=seen)
        self.hidden.update(key for key, stored in found.items() if stored is None)
        for key in wanted:
            # what was absent stays so: a row that another makes meanwhile was judged by nobody here, and is a conflict
            self._found.setdefault(key, found.get(key))
        if to_delete:
            self._to_delete.update(wanted)

    async def whether_seen_or_not(self, key: Key) -> Stored | None:
        """The version of ``key``, locked: for rules that hold for whoever comes."""
        await self.take((key,))
        if key in self.hidden:
            return (await resources.lock(await self._connection(), [key])).get(key)
        return self._found[key]
